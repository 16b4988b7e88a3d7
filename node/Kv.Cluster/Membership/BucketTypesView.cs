using System.Collections.Immutable;

namespace Kv.Cluster.Membership;

/// <summary>All bucket types by name, `default` first.</summary>
public sealed record BucketTypesView(ImmutableArray<BucketTypeView> Types, ImmutableArray<StrictBucket> StrictBuckets);
