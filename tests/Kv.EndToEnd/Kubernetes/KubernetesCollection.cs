using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// The tests that share the cluster run one after another, and share one installation of the chart and what Clusters they can. They run when the local rings are done: those take all the machine has, and pods that
/// have to be ready in two minutes would get what is left.
/// </summary>
[CollectionDefinition("Kubernetes", DisableParallelization = true)]
public sealed class KubernetesCollection : ICollectionFixture<OperatorRelease>, ICollectionFixture<StandingCluster>;
