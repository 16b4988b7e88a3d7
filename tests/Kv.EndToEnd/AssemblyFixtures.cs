using Kv.EndToEnd.Kubernetes;
using Xunit;

[assembly: AssemblyFixture(typeof(KubernetesCluster))]
