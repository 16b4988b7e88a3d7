using System.Collections.Immutable;

namespace Kv.Cluster.Membership;

/// <summary>Preference lists by number of replicas and first partition.</summary>
public sealed record PreflistsView(ImmutableArray<PreflistView> Lists);
