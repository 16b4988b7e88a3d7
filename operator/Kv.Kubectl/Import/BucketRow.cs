namespace Kv.Kubectl.Import;

/// <summary>A bucket's part of the report. Its tally grows while it is copied.</summary>
internal sealed class BucketRow(BucketId bucket)
{
    public BucketId Bucket { get; } = bucket;

    /// <summary>How many were listed; null while they are not.</summary>
    public long? Keys { get; set; }

    public ImportTally Tally { get; } = new();

    /// <summary>Names of the properties that were set.</summary>
    public IReadOnlyList<string> Props { get; set; } = [];

    /// <summary>Names of the properties that the target's bucket has of its own, and others than the source: none was set.</summary>
    public IReadOnlyList<string> PropsInConflict { get; set; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>The error of one that Ctrl-C cut off.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>Why it was not copied, or not to its end; null where it was.</summary>
    public string? Error { get; set; }

    /// <summary>When the listing of its keys was begun: what the source got since is not among them. Null while they are not listed.</summary>
    public DateTimeOffset? Listed { get; set; }

    /// <summary>The list is that of an import before this one, which was cut off or did not come to its end.</summary>
    public bool IsListedBefore { get; set; }

    /// <summary>An import before this one has done it.</summary>
    public bool WasDone { get; init; }

    /// <summary>It was not copied, or some of its keys were not and are to be tried again.</summary>
    public bool HasFailed => Error is not null || Tally[KeyFate.Failed] > 0;
}
