using Kv.EndToEnd.Kubernetes;
using Xunit.Sdk;
using Xunit.v3;

namespace Kv.EndToEnd;

/// <summary>The longest collection begins first, so that all others run beside it; the rest as they come.</summary>
public sealed class KubernetesFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName == KubernetesCollection.Name ? 0 : 1)];
}
