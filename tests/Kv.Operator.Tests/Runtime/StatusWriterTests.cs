using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class StatusWriterTests
{
    private readonly FakeKubernetes api = new();

    [Fact]
    public async Task Status_ThatIsTheSame_IsNotWritten_AndAnotherIs()
    {
        var cluster = await ReadAsync();
        var status = new ClusterStatus { Summary = "one" };
        Assert.True(await WriteAsync(cluster, status));
        cluster = await ReadAsync();
        Assert.Equal("one", cluster.Status.Summary);
        Assert.False(await WriteAsync(cluster, new ClusterStatus { Summary = "one" }));
        Assert.Equal(1, api.Writes);
    }

    /// <summary>A leader that was paused in its pass, and wakes when another leads.</summary>
    [Fact]
    public async Task Status_OfALeaderThatWasPaused_DoesNotReplaceThatOfTheNext()
    {
        var old = await ReadAsync();
        await WriteAsync(await ReadAsync(), new ClusterStatus { Operation = new OperationStatus { Kind = "ScaleIn", Phase = "Leaving", Leaving = ["a"] } });
        var refused = await Assert.ThrowsAsync<KubernetesApiException>(() => WriteAsync(old, new ClusterStatus { Summary = "of long ago" }));
        Assert.True(refused.IsConflict);
        Assert.Equal(["a"], (await ReadAsync()).Status.Operation!.Leaving);
    }

    [Fact]
    public async Task Status_DoesNotLandOnASuccessorOfTheSameName()
    {
        var old = await ReadAsync();
        api.Remove(ResourceKind.Cluster, "example");
        _ = await ReadAsync();
        Assert.True((await Assert.ThrowsAsync<KubernetesApiException>(() => WriteAsync(old, new ClusterStatus { Summary = "of long ago" }))).IsConflict);
        Assert.Null((await ReadAsync()).Status.Summary);
    }

    private Task<bool> WriteAsync(Cluster cluster, ClusterStatus status) => new StatusWriter(api).WriteAsync(ResourceKind.Cluster, cluster, cluster.Status, status, TestContext.Current.CancellationToken);

    /// <summary>As a pass reads it; made where it is not there.</summary>
    private async Task<Cluster> ReadAsync()
    {
        if (await api.GetAsync(ResourceKind.Cluster, "default", "example", TestContext.Current.CancellationToken) is null)
        {
            api.Put(ResourceKind.Cluster, "example");
        }

        var json = await api.GetAsync(ResourceKind.Cluster, "default", "example", TestContext.Current.CancellationToken);
        return ((JsonNode)json!).Deserialize<Cluster>(KvJson.Options)!;
    }
}
