using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>Where the nodes of a cluster live: Kubernetes objects, or processes on this machine. Everything is safe to repeat.</summary>
internal interface IClusterWorld
{
    /// <summary>Objects and replicas as they are now; the nodes without their answers.</summary>
    Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel);

    /// <summary>Makes the objects be as the spec says, with the replicas that are there, or for a zone without any, its share.</summary>
    Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel);
}
