namespace Kv.Simulation.Plans;

/// <summary>What is asked of a whole bucket; all but the first need an index.</summary>
public enum QueryKind
{
    Listing,

    /// <summary>One number.</summary>
    Number,

    /// <summary>Some numbers.</summary>
    Numbers,

    /// <summary>Some letters.</summary>
    Letters,

    /// <summary>Some keys.</summary>
    Keys,

    /// <summary>All keys, by the index.</summary>
    Bucket,
}
