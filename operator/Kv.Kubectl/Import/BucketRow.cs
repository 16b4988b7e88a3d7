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

    public List<string> Notes { get; } = [];

    /// <summary>The error of one that Ctrl-C cut off.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>Why it was not copied, or not to its end; null where it was.</summary>
    public string? Error { get; set; }

    /// <summary>An import before this one has done it.</summary>
    public bool WasDone { get; init; }
}
