namespace Kv.Wire.Riak;

/// <summary>What is wrong with a secondary index entry.</summary>
internal enum IndexProblem
{
    None = 0,

    /// <summary>The field ends neither in `_bin` nor in `_int`.</summary>
    UnknownType = 1,

    /// <summary>An `_int` field's value is no decimal integer.</summary>
    NotAnInteger = 2,
}
