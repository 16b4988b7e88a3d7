using Google.Protobuf;
using Grpc.Core;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>Which node is asked: those of a local run in turn, and no second one where a write may have been done.</summary>
public sealed class ConnectionTests
{
    private const string Dead = "127.0.0.1:1";

    [Fact]
    public async Task DeadNode_IsNoFailure_WhileAnotherAnswers()
    {
        await using var node = await StubNode.StartAsync(_ => new PutResponse());
        using var run = new RunDirectory($"n0 grpc {Dead}\nn1 grpc {node.Address}\n");
        Assert.Equal(0, (await run.KvAsync("put", "b", "k", "v")).ExitCode);
        Assert.Single(node.Requests);
    }

    [Fact]
    public async Task NodeThatIsNotReady_IsPassedOver()
    {
        await using var starting = await StubNode.StartAsync(_ => new PutResponse { Error = new Error { Code = Error.Types.Code.NotReady, Message = "not ready: it starts", Retryable = true } });
        await using var node = await StubNode.StartAsync(_ => new PutResponse());
        using var run = new RunDirectory($"n0 grpc {starting.Address}\nn1 grpc {node.Address}\n");
        Assert.Equal(0, (await run.KvAsync("put", "b", "k", "v")).ExitCode);
        Assert.Single(node.Requests);
    }

    [Theory]
    [InlineData("put b k v", 0)]
    [InlineData("delete b k", 0)]
    [InlineData("delete b k --context AQL/", 1)]
    [InlineData("get b k", 1)]
    public async Task NodeThatBreaksOff_EndsAWrite_ButNotWhatCanBeRepeated(string line, int asked)
    {
        await using var broken = await StubNode.StartAsync(_ => throw new RpcException(new Status(StatusCode.Unavailable, "going down")));
        await using var node = await StubNode.StartAsync(request => request is GetRequest ? Samples.Found(Samples.Sibling("t", ByteString.Empty)) : new DeleteResponse());
        using var directory = new RunDirectory($"n0 grpc {broken.Address}\nn1 grpc {node.Address}\n");
        var run = await directory.KvAsync(line.Split(' '));
        Assert.Equal(asked, node.Requests.Count);
        Assert.Equal(asked == 1 ? 0 : 4, run.ExitCode);
        Assert.Equal(asked == 1 ? "" : "kv: it is not known whether the write was done: going down\n", run.Error);
    }

    [Fact]
    public async Task WriteThatMayHaveBeenDone_IsNotDoneTwice()
    {
        var error = new Error { Code = Error.Types.Code.Unsatisfied, Message = "pw not met", Retryable = true, Indeterminate = true };
        await using var first = await StubNode.StartAsync(_ => new PutResponse { Error = error });
        await using var second = await StubNode.StartAsync(_ => new PutResponse());
        using var directory = new RunDirectory($"n0 grpc {first.Address}\nn1 grpc {second.Address}\n");
        var run = await directory.KvAsync("put", "b", "k", "v");
        Assert.Equal((4, "kv: pw not met\n"), (run.ExitCode, run.Error));
        Assert.Empty(second.Requests);
    }

    [Fact]
    public async Task AllNodesDead_EndsWithFour_AndSaysWhoWasTried()
    {
        using var directory = new RunDirectory($"n0 grpc {Dead}\nn0 admin {Dead}\nn1 grpc {Dead}\nn1 admin {Dead}\n");
        foreach (var line in new[] { "get b k", "put b k v", "status" })
        {
            var run = await directory.KvAsync(line.Split(' '));
            Assert.Equal(4, run.ExitCode);
            Assert.Contains($"no node answered. Tried the endpoints in {directory.File} (does the local run that wrote it still run?): n0 ({Dead}): Connection refused; n1", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task NodeOutsideTheCluster_IsPassedOver()
    {
        await using var outside = await StubNode.StartAsync(_ => throw new RpcException(new Status(StatusCode.FailedPrecondition, "not_in_cluster: this node is in no cluster")));
        await using var member = await StubNode.StartAsync(_ => Samples.Plan);
        using var directory = new RunDirectory($"n0 admin {outside.Address}\nn1 admin {member.Address}\n");
        Assert.Equal(0, (await directory.KvAsync("plan")).ExitCode);
    }

    [Theory]
    [InlineData(StatusCode.NotFound, "undefined: t is not an existing bucket type", 3)]
    [InlineData(StatusCode.FailedPrecondition, "not_ready: not seen on n2 yet", 4)]
    [InlineData(StatusCode.FailedPrecondition, "already_active: it is", 1)]
    [InlineData(StatusCode.Aborted, "changed: read again", 4)]
    [InlineData(StatusCode.Unavailable, "unavailable: no majority", 4)]
    [InlineData(StatusCode.InvalidArgument, "invalid_props: n_val", 1)]
    public async Task RefusalOfAdmin_IsShown_AndHasItsCode(StatusCode status, string text, int expected)
    {
        await using var node = await StubNode.StartAsync(_ => throw new RpcException(new Status(status, text)));
        var run = await KvRun.OfAsync("bucket-type", "activate", "t", "--admin-endpoint", node.Address);
        Assert.Equal((expected, $"kv: {text}\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task WrongPort_IsToldFromADeadNode()
    {
        await using var node = await StubNode.StartAsync(_ => throw new RpcException(new Status(StatusCode.Unimplemented, "Service is unimplemented.")));
        var run = await KvRun.OfAsync("get", "b", "k", "--endpoint", node.Address);
        Assert.Equal((1, "kv: what answers there is not this port of a node, or a program that does not know the question yet\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task PlanLeave_TakesNames_AndSendsIds()
    {
        await using var node = await StubNode.StartAsync(request => request is StageLeaveRequest ? Samples.Plan : Samples.Cluster(""));
        Assert.Equal(0, (await KvRun.OfAsync("plan", "leave", "example-1", "--admin-endpoint", node.Address)).ExitCode);
        Assert.Equal(["00000000000000e1"], Assert.Single(node.Requests.OfType<StageLeaveRequest>()).NodeIds);
        var unknown = await KvRun.OfAsync("plan", "leave", "example-9", "--admin-endpoint", node.Address);
        Assert.Equal((3, "kv: there is no member example-9; there is example-0, example-1, example-2\n"), (unknown.ExitCode, unknown.Error));
    }

    [Fact]
    public async Task Losses_TakeNames_SendIds_AndShowWhatIsRebuiltAndLost()
    {
        var plan = Samples.Plan.Clone();
        (plan.Rebuilds, plan.Transfers) = (3, 0);
        plan.Staged[0].Kind = StagedChange.Types.Kind.Replace;
        plan.Staged[0].ReplacesId = "00000000000000e1";
        plan.Lost.Add(new LostKeys { NVal = 1, Ranges = 3 });
        await using var node = await StubNode.StartAsync(request => request is StageReplaceRequest or StageRemoveRequest ? plan : Samples.Cluster(""));
        var replaced = await KvRun.OfAsync("cluster", "replace", "example-1", "host:9081", "--allow-data-loss", "--admin-endpoint", node.Address);
        Assert.Equal(new StageReplaceRequest { DeadId = "00000000000000e1", PeerAddress = "host:9081", AllowDataLoss = true }, Assert.Single(node.Requests.OfType<StageReplaceRequest>()));
        Assert.Contains("replace 00000000000000e1   example-3", replaced.Output, StringComparison.Ordinal);
        Assert.Contains(" and has 3 rebuilt from other replicas.", replaced.Output, StringComparison.Ordinal);
        var removed = await KvRun.OfAsync("cluster", "force-remove", "example-1", "--allow-fewer-replicas", "--admin-endpoint", node.Address, "-o", "json");
        Assert.Equal(new StageRemoveRequest { NodeId = "00000000000000e1", AllowFewerReplicas = true }, Assert.Single(node.Requests.OfType<StageRemoveRequest>()));
        var json = System.Text.Json.Nodes.JsonNode.Parse(removed.Output)!;
        Assert.Equal((3, """[{"nVal":1,"ranges":3}]"""), (json["rebuilds"]!.GetValue<int>(), json["lost"]!.ToJsonString()));
        Assert.Equal("00000000000000e1", json["staged"]![0]!["replaces"]!.GetValue<string>());
    }

    [Fact]
    public async Task Rebuild_AsksTheOwner_OrTheNodeThatIsNamed()
    {
        StubNode? self = null;
        await using var node = self = await StubNode.StartAsync(request => request is RebuildPartitionRequest rebuild
            ? new Cluster(Samples.Cluster(self!.Address)) { Rebuilding = { (uint)rebuild.Partition } }
            : Samples.Cluster(self!.Address));
        var run = await KvRun.OfAsync("cluster", "rebuild", "3", "--admin-endpoint", node.Address);
        Assert.Equal((0, "partition 3 is rebuilt on example-0 from its other replicas: kv cluster transfers shows how it goes\n"), (run.ExitCode, run.Output));
        var named = await KvRun.OfAsync("cluster", "rebuild", "7", "example-0", "--allow-data-loss", "--admin-endpoint", node.Address);
        Assert.Equal(0, named.ExitCode);
        Assert.Equal(
            [new RebuildPartitionRequest { Partition = 3 }, new RebuildPartitionRequest { Partition = 7, AllowDataLoss = true }],
            node.Requests.OfType<RebuildPartitionRequest>());
    }

    [Fact]
    public async Task PlanCommit_SendsTheIdThatWasLookedAt()
    {
        await using var node = await StubNode.StartAsync(_ => Samples.Cluster(""));
        var run = await KvRun.OfAsync("plan", "commit", "117b", "--admin-endpoint", node.Address);
        Assert.Equal((0, "committed; 1 partition to move: `kv transfers` shows them\n"), (run.ExitCode, run.Output));
        Assert.Equal("117b", Assert.Single(node.Requests.OfType<CommitPlanRequest>()).PlanId);
    }

    [Theory]
    [InlineData("""{"n_val":2}""", """{"n_val":2}""")]
    [InlineData("""{"props":{"n_val":2}}""", """{"n_val":2}""")]
    [InlineData("--prop n_val=2 --prop r=quorum --prop allow_mult=true", """{"n_val":2,"r":"quorum","allow_mult":true}""")]
    [InlineData("-", """{"w":"all"}""")]
    public async Task BucketTypeCreate_TakesPropertiesInEachForm(string given, string sent)
    {
        await using var node = await StubNode.StartAsync(_ => Samples.Types.BucketTypes_[1]);
        var run = await KvRun.WithAsync(["bucket-type", "create", "carts", .. given.Split(' '), "--admin-endpoint", node.Address], """{"w":"all"}"""u8.ToArray());
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(sent, Assert.Single(node.Requests.OfType<CreateBucketTypeRequest>()).PropsJson);
    }

    [Fact]
    public async Task NoClusterAnywhere_SaysWhereItWasLookedFor()
    {
        var run = await KvRun.OfAsync("status", "--kubeconfig", "/nowhere/config");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("kv: no kubeconfig to use: ", run.Error, StringComparison.Ordinal);
    }
}
