namespace Kv.Chaos.Rings;

/// <summary>One bucket type for each way of settling concurrent writes, and for two data types.</summary>
internal static class BucketTypes
{
    /// <summary>All are kept.</summary>
    public const string Siblings = "siblings";

    /// <summary>One is kept: the newest by causality, then by the clock.</summary>
    public const string Plain = "plain";

    /// <summary>One is kept: the newest by the clock alone.</summary>
    public const string Latest = "latest";

    public const string Counters = "counters";

    public const string Sets = "sets";

    public static IReadOnlyList<(string Name, string Props)> Props { get; } =
    [
        (Siblings, """{"n_val":3,"allow_mult":true}"""),
        (Plain, """{"n_val":3,"allow_mult":false,"dvv_enabled":false}"""),
        (Latest, """{"n_val":3,"allow_mult":false,"dvv_enabled":false,"last_write_wins":true}"""),
        (Counters, """{"n_val":3,"datatype":"counter"}"""),
        (Sets, """{"n_val":3,"datatype":"set"}"""),
    ];
}
