using System.Collections.Immutable;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>What the operator looks at before it takes a node down.</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>How this node sees each other member.</summary>
    public ImmutableArray<PeerView> GetPeers() => watcher.View();

    /// <summary>
    /// The preference lists, for each number of replicas that buckets have, of which at most <paramref name="mostAlive"/> primaries are alive as this node sees
    /// it. Refused `not_in_cluster` where there is no document.
    /// </summary>
    public AdminResult<PreflistsView> GetPreflists(int mostAlive)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document)
        {
            return NotInCluster;
        }

        var lists = ImmutableArray.CreateBuilder<PreflistView>();
        foreach (var n in DocumentRules.ReplicaCounts(document))
        {
            for (var first = 0; first < document.Ring.Size; first++)
            {
                var primaries = PreferenceList.Primaries(document.Ring, new PartitionId(first), n);
                var alive = primaries.Count(p => snapshot.IsUp(p.Node) && !document.Ring.IsRebuilding(p.Partition));
                if (alive <= mostAlive)
                {
                    lists.Add(new PreflistView(new PartitionId(first), n, alive, [.. primaries.Select(p => p.Node)]));
                }
            }
        }

        return new PreflistsView(lists.ToImmutable());
    }
}
