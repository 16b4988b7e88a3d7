using Kv.Core.Objects;

namespace Kv.Cluster.Membership;

/// <summary>A bucket with properties of its own, whose requests ask for <paramref name="Quorum"/> of their <paramref name="NVal"/> replicas where they say nothing themselves.</summary>
public sealed record StrictBucket(BucketName Bucket, int NVal, int Quorum);
