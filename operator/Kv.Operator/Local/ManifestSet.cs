using System.Collections.Immutable;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Local;

/// <summary>What a directory of manifests says, or what is wrong with it; if anything is, nothing of it counts.</summary>
internal sealed record ManifestSet(ImmutableArray<Cluster> Clusters, ImmutableArray<BucketType> BucketTypes, ImmutableArray<string> Problems);
