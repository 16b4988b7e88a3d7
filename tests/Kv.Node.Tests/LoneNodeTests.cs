using System.Net;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Node.Tests;

public sealed class LoneNodeTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_BeforeItIsInACluster_SaysSoEverywhere()
    {
        await using var node = await TestNode.StartAsync("alone", None);

        var view = await node.Admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: None);
        Assert.Equal(("alone", ""), (view.Name, view.ClusterId));
        Assert.Equal(16, view.Id.Length);
        Assert.Equal(node.Endpoint("peer"), view.Endpoints["peer"]);

        var cluster = await Assert.ThrowsAsync<RpcException>(async () => await node.Admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: None));
        Assert.StartsWith("not_in_cluster: ", cluster.Status.Detail, StringComparison.Ordinal);

        var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8("k") };
        var get = await node.Kv.GetAsync(new GetRequest { Key = key }, cancellationToken: None);
        Assert.Equal((Error.Types.Code.NotReady, true), (get.Error.Code, get.Error.Retryable));
        var ring = await Assert.ThrowsAsync<RpcException>(async () => await node.Kv.GetRingAsync(new GetRingRequest(), cancellationToken: None));
        Assert.Equal(StatusCode.Unavailable, ring.StatusCode);

        Assert.Equal((HttpStatusCode.OK, "alive\n"), await ProbeAsync(node, "livez"));
        Assert.Equal((HttpStatusCode.OK, "started\n"), await ProbeAsync(node, "startupz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not in a cluster\n"), await ProbeAsync(node, "readyz"));
    }

    [Fact]
    public async Task Node_OfAClusterOfOne_IsReady()
    {
        await using var node = await TestNode.StartAsync("one", None);
        await TestCluster.FormAsync(node.Admin, [], None);

        var (status, text) = await ProbeAsync(node, "readyz");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("ready: cluster test", text, StringComparison.Ordinal);
    }

    /// <summary>More would be past the memory that it was given: what has no room is refused, the rest is served.</summary>
    [Fact]
    public async Task Node_OfMorePartitionsThanItsMemoryIsDividedFor_OpensNoMore()
    {
        await using var node = await TestNode.StartAsync(TestNode.Options("one") with { StoresPerNode = 8 }, None);
        await TestCluster.FormAsync(node.Admin, [], None);

        var errors = new List<Error?>();
        for (var number = 0; number < 64; number++)
        {
            var key = new Key { Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8($"k{number}") };
            var put = await node.Kv.PutAsync(new PutRequest { Key = key, Content = new Content { Value = ByteString.CopyFromUtf8("v") } }, cancellationToken: None);
            errors.Add(put.Error);
        }

        Assert.Contains(null, errors);
        Assert.All(errors.OfType<Error>(), error => Assert.Equal((Error.Types.Code.Overload, true), (error.Code, error.Retryable)));
        Assert.NotEmpty(errors.OfType<Error>());
    }

    [Fact]
    public async Task Node_TellsAnAdministratorItsClock_ItsMemory_AndWhatItsStatisticsAre()
    {
        await using var node = await TestNode.StartAsync("one", None);
        await TestCluster.FormAsync(node.Admin, [], None);
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var view = await node.Admin.GetNodeAsync(new GetNodeRequest(), cancellationToken: None);
        Assert.InRange(view.UnixMilliseconds, before, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        Assert.InRange(view.MemoryBytes, 1, long.MaxValue);
        Assert.Equal(MemoryLimit.Bytes(TestNode.Options("one")), view.MemoryLimitBytes);
        Assert.Equal("one", (await node.Admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: None)).Claimant);

        var told = JsonNode.Parse((await node.Admin.GetStatisticsAsync(new GetStatisticsRequest(), cancellationToken: None)).Json)!.AsObject();
        using var http = new HttpClient();
        var served = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://{node.Endpoint("riak-http")}/stats"), None))!.AsObject();
        Assert.Equal(served.Select(field => field.Key), told.Select(field => field.Key));
        Assert.Equal(("one", 0), ((string?)told["nodename"], (int)told["node_puts_total"]!));
    }

    [Fact]
    public async Task Drain_ByTheHook_SendsClientsElsewhere_AndIsBounded()
    {
        await using var node = await TestNode.StartAsync("one", None);
        await TestCluster.FormAsync(node.Admin, [], None);

        Assert.Equal((HttpStatusCode.BadRequest, "budget: seconds, 0 to 60\n"), await ProbeAsync(node, "drain?budget=3600"));
        Assert.Equal((HttpStatusCode.BadRequest, "budget: seconds, 0 to 60\n"), await ProbeAsync(node, "drain"));
        Assert.Equal(HttpStatusCode.OK, (await ProbeAsync(node, "readyz")).Status);

        Assert.Equal((HttpStatusCode.OK, "drained: 0 requests under way, 0 hints to return, 0 to keep\n"), await ProbeAsync(node, "drain?budget=5"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining: clients are to ask other nodes\n"), await ProbeAsync(node, "readyz"));
    }

    [Fact]
    public async Task Drain_ByTheHook_EndsWhenTheFirstThatAskedSaid_AndIsNotBegunAnewSoon()
    {
        var clock = new HeldTime(TimeSpan.FromSeconds(5) + DrainHook.Patience);
        await using var node = await TestNode.StartAsync(TestNode.Options("one"), None, clock: clock);
        await TestCluster.FormAsync(node.Admin, [], None);
        Assert.Equal(HttpStatusCode.OK, (await ProbeAsync(node, "drain?budget=5")).Status);
        Assert.Equal(HttpStatusCode.OK, (await ProbeAsync(node, "drain?budget=60")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await ProbeAsync(node, "readyz")).Status);

        clock.End();
        Assert.Equal(HttpStatusCode.OK, (await ProbeAsync(node, "readyz")).Status);
        Assert.Equal((HttpStatusCode.TooManyRequests, "drained just now, and not ended: serving again\n"), await ProbeAsync(node, "drain?budget=5"));
        Assert.Equal(HttpStatusCode.OK, (await ProbeAsync(node, "readyz")).Status);
    }

    [Fact]
    public async Task Node_WhosePortIsTaken_SaysWhich()
    {
        await using var first = await TestNode.StartAsync("first", None);
        var taken = int.Parse(first.Endpoint("peer").Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        var options = TestNode.Options("second") with { PeerPort = ListenPort.At(taken) };
        await using var second = new NodeComposition(options, NullLoggerFactory.Instance, (_, _, _) => NodeStorages.InMemory());

        var error = await Assert.ThrowsAsync<NodeStartException>(() => second.StartAsync(None));

        Assert.Contains($"port {taken} for peer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storage_ThatFails_EndsTheNode()
    {
        var broken = new TaskCompletionSource<Exception>();
        await using var node = await TestNode.StartAsync("broken", None, NodeStorages.InMemory() with { Failed = broken.Task });

        broken.SetResult(new Core.Stores.StoreException("the sync failed"));

        Assert.Equal("the sync failed", (await node.Composition.Failed).Message);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "failed: the sync failed\n"), await ProbeAsync(node, "livez"));
    }

    [Fact]
    public async Task ANodeThatCannotStart_IsCutOff_FromThoseThatAskHowItIs()
    {
        await using var composition = new NodeComposition(TestNode.Options("broken"), NullLoggerFactory.Instance, (_, _, _) => throw new Core.Stores.StoreException("rotten"));
        await Assert.ThrowsAsync<Core.Stores.StoreException>(() => composition.StartAsync(None));
        using var http = new HttpClient();
        var livez = new Uri($"http://{composition.Endpoints["metrics"]}/livez");
        using (await http.GetAsync(livez, None))
        {
            // It answers, whatever that is.
        }

        await composition.CutOffAsync(None);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(livez, None));
    }

    [Fact]
    public async Task Storage_ThatFailedWhileTheNodeStarted_EndsTheNode()
    {
        var broken = Task.FromResult<Exception>(new Core.Stores.StoreException("the sync failed"));
        await using var node = await TestNode.StartAsync("broken", None, NodeStorages.InMemory() with { Failed = broken });

        Assert.True(node.Composition.Failed.IsCompleted);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "failed: the sync failed\n"), await ProbeAsync(node, "livez"));
    }

    private static async Task<(HttpStatusCode Status, string Text)> ProbeAsync(TestNode node, string probe)
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri($"http://{node.Endpoint("metrics")}/{probe}"), None);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(None));
    }

    /// <summary>The machine's, but that what is to happen after just this long happens when the test says so.</summary>
    private sealed class HeldTime(TimeSpan held) : TimeProvider
    {
        private Action end = static () => { };

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != held)
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            end += () => callback(state);
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void End() => end();
    }
}
