using Kv.Core.Indexes;

namespace Kv.Wire.Riak;

/// <summary>The rule of secondary index entries: a field's name says, in any case, what its values are, `_bin` bytes or `_int` integers of any size (reference 9.1).</summary>
internal static class IndexField
{
    public static IndexProblem Check(string field, string value)
    {
        var name = field.ToLowerInvariant();
        return !IndexEntries.IsField(name) ? IndexProblem.UnknownType
            : !IndexEntries.IsInteger(name) || IsInteger(value) ? IndexProblem.None
            : IndexProblem.NotAnInteger;
    }

    private static bool IsInteger(ReadOnlySpan<char> value)
    {
        var digits = value.Length > 0 && value[0] is ('-' or '+') ? value[1..] : value;
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange('0', '9');
    }
}
