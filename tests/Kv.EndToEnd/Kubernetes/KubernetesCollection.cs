using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// The tests that share the cluster run one after another, and share one installation of the chart and what Clusters they can. Local rings run beside them, one test at a time on two cores, and give way to
/// the pods: most of what is done here is to wait.
/// </summary>
[CollectionDefinition(Name)]
public sealed class KubernetesCollection : ICollectionFixture<OperatorRelease>, ICollectionFixture<StandingCluster>
{
    /// <summary>Of the collection.</summary>
    public const string Name = "Kubernetes";
}
