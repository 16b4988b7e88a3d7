using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// The tests that share the cluster run one after another, and share one installation of the chart and what Clusters they can. They run when the local rings are done: beside each other on two cores both took as
/// long as one after the other, and nodes took each other for dead.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KubernetesCollection : ICollectionFixture<OperatorRelease>, ICollectionFixture<StandingCluster>
{
    /// <summary>Of the collection.</summary>
    public const string Name = "Kubernetes";
}
