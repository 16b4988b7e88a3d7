using System.Collections.Immutable;
using Kv.Core.Buckets;

namespace Kv.Cluster.Membership;

/// <summary>A bucket type with <paramref name="MissingOn"/>, the names of members that are not known to hold it in this form.</summary>
public sealed record BucketTypeView(string Name, BucketTypeStage Stage, BucketProps Props, ImmutableArray<string> MissingOn);
