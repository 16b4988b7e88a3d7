namespace Kv.Core.Buckets;

/// <summary>A bucket type of the cluster document.</summary>
public sealed record BucketType(string Name, BucketTypeState State, BucketProps Props);
