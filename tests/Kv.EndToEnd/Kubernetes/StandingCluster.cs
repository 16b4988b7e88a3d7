namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// A Cluster that one test hands on to the next: making one takes the machine longer than most of what is done with it. It comes with the image, the settings and the orders that tests before gave it, and
/// is made anew where its nodes are not all ready or not as many as the next test wants.
/// </summary>
public sealed class StandingCluster(KubernetesCluster cluster) : IAsyncDisposable
{
    private StorageCluster? standing;

    /// <summary>A Cluster with so many nodes, all of them ready, and nothing left to do.</summary>
    internal async Task<StorageCluster> TakeAsync(int nodes = 3)
    {
        if (standing is not null && !await IsWholeAsync(standing, nodes))
        {
            await DisposeAsync();
        }

        return standing ??= await StorageCluster.CreateAsync(cluster, nodes);
    }

    public async ValueTask DisposeAsync()
    {
        if (standing is { } gone)
        {
            standing = null;
            await gone.DisposeAsync();
        }
    }

    private async Task<bool> IsWholeAsync(StorageCluster one, int nodes)
    {
        var state = await cluster.TryKubectlAsync(
            null, "-n", one.Space, "get", "kvc", StorageCluster.Name, "-o", "jsonpath={.spec.nodes} {.status.readyNodes} {.status.conditions[?(@.type==\"Ready\")].status} {.status.operation.kind}");
        return state.Output.Trim() == $"{nodes} {nodes} True";
    }
}
