using Kv.Core.Objects;

namespace Kv.Cluster;

/// <summary>What a front end knows of a job's client that the job has to ask while it runs.</summary>
public sealed record MapReduceCaller
{
    /// <summary>Null where the client may read the bucket; else the refusal. What a phase makes of values can name any.</summary>
    public Func<BucketName, string?> WhyDenied { get; init; } = _ => null;

    /// <summary>Whether the node has room for the job to hold that many bytes, all together; asked before it holds more than ever.</summary>
    public Func<long, bool> TryHold { get; init; } = _ => true;
}
