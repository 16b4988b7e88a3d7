using Kv.EndToEnd;
using Kv.EndToEnd.Kubernetes;
using Xunit;

[assembly: AssemblyFixture(typeof(KubernetesCluster))]
[assembly: TestCollectionOrderer(typeof(KubernetesFirst))]
