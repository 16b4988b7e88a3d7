using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>The tests that share the cluster run one after another, and share one installation of the chart.</summary>
[CollectionDefinition("Kubernetes")]
public sealed class KubernetesCollection : ICollectionFixture<OperatorRelease>;
