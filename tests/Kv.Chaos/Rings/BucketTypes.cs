namespace Kv.Chaos.Rings;

/// <summary>One bucket type for each way of settling concurrent writes, and for two data types; two of the ways on the engine of ordered keys too.</summary>
internal static class BucketTypes
{
    /// <summary>All are kept.</summary>
    public const string Siblings = "siblings";

    /// <summary>One is kept: the newest by causality, then by the clock.</summary>
    public const string Plain = "plain";

    /// <summary>One is kept: the newest by the clock alone.</summary>
    public const string Latest = "latest";

    /// <summary>As <see cref="Siblings"/>, of ordered keys: objects have an index entry for each value.</summary>
    public const string Ordered = "ordered";

    /// <summary>As <see cref="Plain"/>, of ordered keys with entries.</summary>
    public const string OrderedPlain = "ordered-plain";

    public const string Counters = "counters";

    public const string Sets = "sets";

    public static IReadOnlyList<(string Name, string Props)> Props { get; } =
    [
        (Siblings, """{"n_val":3,"allow_mult":true}"""),
        (Plain, """{"n_val":3,"allow_mult":false,"dvv_enabled":false}"""),
        (Latest, """{"n_val":3,"allow_mult":false,"dvv_enabled":false,"last_write_wins":true}"""),
        (Ordered, """{"n_val":3,"allow_mult":true,"backend":"ordered"}"""),
        (OrderedPlain, """{"n_val":3,"allow_mult":false,"dvv_enabled":false,"backend":"ordered"}"""),
        (Counters, """{"n_val":3,"datatype":"counter"}"""),
        (Sets, """{"n_val":3,"datatype":"set"}"""),
    ];

    /// <summary>Whether its objects lie in RocksDB.</summary>
    public static bool IsOrdered(string type) => type is Ordered or OrderedPlain;

    /// <summary>Whether every value of it has a dot.</summary>
    public static bool HasDots(string type) => type is Siblings or Ordered;
}
