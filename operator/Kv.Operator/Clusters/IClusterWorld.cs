using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>Where the nodes of a cluster live: Kubernetes objects, or processes on this machine. Everything is safe to repeat.</summary>
internal interface IClusterWorld
{
    /// <summary>Objects and replicas as they are now; the nodes without their answers.</summary>
    Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel);

    /// <summary>Makes the objects be as the spec says, with these replicas. Where they are fewer than before, the last of the zone end; their volumes stay.</summary>
    Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel);

    /// <summary>Starts a node again, as it should be now; nothing if it is another already than the one that was seen.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="node">As it was seen.</param>
    /// <param name="isBroken">It does not run, so that nobody else's budget need be asked.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>Why not now; null if it was done.</returns>
    Task<GateVerdict.Closed?> RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel);

    /// <summary>Sets how many nodes others may take down at once.</summary>
    Task SetBudgetAsync(Cluster cluster, ObservedCluster observed, int disruptions, CancellationToken cancel);

    /// <summary>Marks a volume as of no use any more.</summary>
    Task ReleaseVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel);

    /// <summary>Deletes a volume, if it still is the one that was seen.</summary>
    Task DeleteVolumeAsync(Cluster cluster, ObservedVolume volume, CancellationToken cancel);

    /// <summary>Ends a node, deletes its volume, and starts it with an empty one; nothing if it is another already than the one that was seen.</summary>
    Task RenewVolumeAsync(Cluster cluster, ObservedCluster observed, ObservedNode node, CancellationToken cancel);
}
