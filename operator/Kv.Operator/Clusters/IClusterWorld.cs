using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>Where the nodes of a cluster live: Kubernetes objects, or processes on this machine. Everything is safe to repeat.</summary>
internal interface IClusterWorld
{
    /// <summary>Objects and replicas as they are now; the nodes without their answers.</summary>
    Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel);

    /// <summary>Makes the objects be as the spec says, with the replicas that are there, or for a zone without any, its share.</summary>
    Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel);

    /// <summary>Starts a node again, as it should be now; nothing if it is another already than the one that was seen.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="node">As it was seen.</param>
    /// <param name="isBroken">It does not run, so that nobody else's budget need be asked.</param>
    /// <param name="cancel">Ends the wait.</param>
    Task RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel);
}
