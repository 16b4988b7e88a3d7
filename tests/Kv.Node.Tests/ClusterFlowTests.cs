using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Grpc.Core;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests;

/// <summary>Three whole nodes that were made a cluster, used over their ports.</summary>
public sealed class ClusterFlowTests(ClusterFlowTests.ThreeNodes nodes) : IClassFixture<ClusterFlowTests.ThreeNodes>
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cluster_OfThree_IsBalancedAndTheSameEverywhere()
    {
        foreach (var node in nodes.Cluster.Nodes)
        {
            var cluster = await node.Admin.GetClusterAsync(new GetClusterRequest(), cancellationToken: None);
            Assert.Equal(["node1", "node2", "node3"], cluster.Members.Select(member => member.Name).Order(StringComparer.Ordinal));
            Assert.All(cluster.Members, member => Assert.InRange(member.Partitions, 5, 6));
            Assert.All(cluster.Members, member => Assert.Equal(MemberState.Valid, member.State));
            Assert.Equal(16, cluster.Owners.Count);
        }
    }

    [Fact]
    public async Task Put_OnOneNode_IsReadOnEveryNode()
    {
        for (var i = 0; i < 30; i++)
        {
            var key = KeyOf($"shared{i}");
            var put = await nodes.Kv(i).PutAsync(new PutRequest { Key = key, Content = ContentOf($"value{i}") }, cancellationToken: None);
            Assert.Null(put.Error);
            var get = await nodes.Kv(i + 1).GetAsync(new GetRequest { Key = key }, cancellationToken: None);
            Assert.Equal($"value{i}", get.Object.Siblings.Single().Value.ToStringUtf8());
            Assert.Equal("text/plain", get.Object.Siblings.Single().ContentType);
        }
    }

    [Fact]
    public async Task Context_OfARead_LetsADeleteAndANewPutThrough()
    {
        var key = KeyOf("life");
        var kv = nodes.Kv(0);
        var stored = await kv.PutAsync(new PutRequest { Key = key, Content = ContentOf("one"), ReturnBody = true }, cancellationToken: None);
        Assert.False(stored.Object.Context.IsEmpty);

        var unchanged = await kv.GetAsync(new GetRequest { Key = key, IfModified = stored.Object.Context }, cancellationToken: None);
        Assert.True(unchanged.Unchanged);

        Assert.Null((await kv.DeleteAsync(new DeleteRequest { Key = key, Context = stored.Object.Context }, cancellationToken: None)).Error);
        var gone = await kv.GetAsync(new GetRequest { Key = key }, cancellationToken: None);
        Assert.Null(gone.Object);
        Assert.Null(gone.Error);
        Assert.True((await kv.DeleteAsync(new DeleteRequest { Key = KeyOf("never") }, cancellationToken: None)).NotFound);
    }

    [Fact]
    public async Task Put_WithoutAKey_MakesOne()
    {
        var key = KeyOf("");
        var put = await nodes.Kv(0).PutAsync(new PutRequest { Key = key, Content = ContentOf("x") }, cancellationToken: None);
        Assert.Null(put.Error);
        Assert.Equal(27, put.GeneratedKey.Length);
        key.Key_ = put.GeneratedKey;
        Assert.NotNull((await nodes.Kv(1).GetAsync(new GetRequest { Key = key }, cancellationToken: None)).Object);
    }

    [Fact]
    public async Task Session_AnswersEveryRequest_InAnyOrder()
    {
        using var session = nodes.Kv(0).Session(cancellationToken: None);
        const int count = 3000;
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < count; i += 50)
                {
                    var frame = new SessionRequests();
                    for (var j = i; j < i + 50; j++)
                    {
                        frame.Requests.Add(new SessionRequest { Id = (ulong)j, Put = new PutRequest { Key = KeyOf($"session{j % 100}"), Content = ContentOf($"{j}") } });
                    }

                    await session.RequestStream.WriteAsync(frame, None);
                }

                await session.RequestStream.CompleteAsync();
            },
            None);

        var answered = new HashSet<ulong>();
        await foreach (var frame in session.ResponseStream.ReadAllAsync(None))
        {
            foreach (var response in frame.Responses)
            {
                Assert.Equal(SessionResponse.OperationOneofCase.Put, response.OperationCase);
                Assert.Null(response.Put.Error);
                Assert.True(answered.Add(response.Id));
            }
        }

        await writing;
        Assert.Equal(count, answered.Count);
    }

    [Fact]
    public async Task Session_WithARequestThatHasNoOperation_AnswersItAndGoesOn()
    {
        using var session = nodes.Kv(0).Session(cancellationToken: None);
        await session.RequestStream.WriteAsync(
            new SessionRequests { Requests = { new SessionRequest { Id = 1 }, new SessionRequest { Id = 2, Get = new GetRequest { Key = KeyOf("nothing") } } } }, None);
        await session.RequestStream.CompleteAsync();
        var answers = new Dictionary<ulong, SessionResponse>();
        await foreach (var frame in session.ResponseStream.ReadAllAsync(None))
        {
            foreach (var response in frame.Responses)
            {
                answers[response.Id] = response;
            }
        }

        Assert.Equal(Error.Types.Code.InvalidRequest, answers[1].Get.Error.Code);
        Assert.Null(answers[2].Get.Error);
    }

    [Fact]
    public async Task MultiGet_AnswersInTheOrderAsked()
    {
        await nodes.Kv(0).PutAsync(new PutRequest { Key = KeyOf("m1"), Content = ContentOf("m1") }, cancellationToken: None);
        var answer = await nodes.Kv(0).MultiGetAsync(
            new MultiGetRequest { Gets = { new GetRequest { Key = KeyOf("m0") }, new GetRequest { Key = KeyOf("m1") }, new GetRequest() } }, cancellationToken: None);
        Assert.Null(answer.Gets[0].Object);
        Assert.Equal("m1", answer.Gets[1].Object.Siblings[0].Value.ToStringUtf8());
        Assert.Equal(Error.Types.Code.InvalidRequest, answer.Gets[2].Error.Code);
    }

    [Fact]
    public async Task ListKeys_GivesEachKeyOnce()
    {
        for (var i = 0; i < 20; i++)
        {
            await nodes.Kv(i).PutAsync(new PutRequest { Key = KeyOf($"k{i}", "listed"), Content = ContentOf("x") }, cancellationToken: None);
        }

        var keys = new List<string>();
        await foreach (var page in nodes.Kv(1).ListKeys(new ListKeysRequest { Bucket = ByteString.CopyFromUtf8("listed") }, cancellationToken: None).ResponseStream.ReadAllAsync(None))
        {
            keys.AddRange(page.Keys.Select(key => key.ToStringUtf8()));
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"k{i}").Order(StringComparer.Ordinal), keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task BucketType_IsCreatedActivatedAndKeepsSiblings()
    {
        var admin = nodes.Cluster.Nodes[0].Admin;
        var created = await admin.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = "carts", PropsJson = """{"allow_mult":true,"n_val":2}""" }, cancellationToken: None);
        Assert.Contains("\"n_val\":2", created.PropsJson, StringComparison.Ordinal);
        await TestCluster.UntilAsync(
            async () => (await admin.GetBucketTypeAsync(new GetBucketTypeRequest { Name = "carts" }, cancellationToken: None)).State == Protos.Admin.V1.BucketType.Types.State.Ready, None);
        await admin.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = "carts" }, cancellationToken: None);
        await TestCluster.UntilAsync(
            async () => (await nodes.Kv(2).ListBucketTypesAsync(new Protos.Kv.V1.ListBucketTypesRequest(), cancellationToken: None)).BucketTypes.Any(type => type is { Name: "carts", Active: true }), None);

        var key = KeyOf("cart");
        key.BucketType = "carts";
        await nodes.Kv(0).PutAsync(new PutRequest { Key = key, Content = ContentOf("a") }, cancellationToken: None);
        await nodes.Kv(1).PutAsync(new PutRequest { Key = key, Content = ContentOf("b") }, cancellationToken: None);
        var siblings = (await nodes.Kv(2).GetAsync(new GetRequest { Key = key }, cancellationToken: None)).Object.Siblings;
        Assert.Equal(["a", "b"], siblings.Select(sibling => sibling.Value.ToStringUtf8()).Order(StringComparer.Ordinal));

        var ring = await nodes.Kv(0).GetRingAsync(new GetRingRequest(), cancellationToken: None);
        Assert.Equal(2u, ring.NVals["carts"]);
        Assert.All(ring.Nodes, node => Assert.True(node.Up));
    }

    [Fact]
    public async Task GetRing_OfANewerVersion_WaitsForIt()
    {
        var kv = nodes.Kv(0);
        var ring = await kv.GetRingAsync(new GetRingRequest(), cancellationToken: None);
        var next = kv.GetRingAsync(new GetRingRequest { AfterVersion = ring.Version }, cancellationToken: None).ResponseAsync;

        await nodes.Cluster.Nodes[1].Admin.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = "waited", PropsJson = "{}" }, cancellationToken: None);

        Assert.True((await next).Version > ring.Version);
    }

    public static TheoryData<string, GetRequest, Error.Types.Code, string> BadGets => new()
    {
        { "no key", new GetRequest(), Error.Types.Code.InvalidRequest, "the key is missing" },
        { "no bucket", new GetRequest { Key = new Key { Key_ = ByteString.CopyFromUtf8("k") } }, Error.Types.Code.InvalidRequest, "the bucket is empty" },
        { "empty key", new GetRequest { Key = KeyOf("") }, Error.Types.Code.InvalidRequest, "the key is empty" },
        { "long key", new GetRequest { Key = KeyOf(new string('k', 65537)) }, Error.Types.Code.InvalidRequest, "the key has 65537 bytes" },
        { "long bucket", new GetRequest { Key = KeyOf("k", new string('b', 65536)) }, Error.Types.Code.InvalidRequest, "the bucket has 65536 bytes" },
        { "unknown type", new GetRequest { Key = new Key { BucketType = "none", Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8("k") } }, Error.Types.Code.UnknownBucketType, "`none`" },
        { "quorum above n_val", new GetRequest { Key = KeyOf("k"), R = new Quorum { Number = 4 } }, Error.Types.Code.NValViolation, "3" },
        { "n_val above the bucket's", new GetRequest { Key = KeyOf("k"), NVal = 9 }, Error.Types.Code.NValViolation, "3" },
        { "n_val of none", new GetRequest { Key = KeyOf("k"), NVal = 0 }, Error.Types.Code.InvalidRequest, "n_val must be at least 1" },
        { "a context that is none", new GetRequest { Key = KeyOf("k"), IfModified = ByteString.CopyFromUtf8("garbage") }, Error.Types.Code.InvalidRequest, "context" },
    };

    [Theory]
    [MemberData(nameof(BadGets), DisableDiscoveryEnumeration = true)]
    public async Task Get_ThatMakesNoSense_SaysWhy(string name, GetRequest request, Error.Types.Code code, string message)
    {
        Assert.NotEmpty(name);
        var error = (await nodes.Kv(0).GetAsync(request, cancellationToken: None)).Error;
        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.False(error.Retryable);
    }

    [Fact]
    public async Task Put_ThatMakesNoSense_SaysWhy()
    {
        var kv = nodes.Kv(0);
        Assert.Equal("the content is missing", (await kv.PutAsync(new PutRequest { Key = KeyOf("k") }, cancellationToken: None)).Error.Message);
        var both = await kv.PutAsync(new PutRequest { Key = KeyOf("k"), Content = ContentOf("x"), IfNoneMatch = true, IfNotModified = true }, cancellationToken: None);
        Assert.Contains("exclude each other", both.Error.Message, StringComparison.Ordinal);
        await kv.PutAsync(new PutRequest { Key = KeyOf("taken"), Content = ContentOf("x") }, cancellationToken: None);
        var taken = await kv.PutAsync(new PutRequest { Key = KeyOf("taken"), Content = ContentOf("y"), IfNoneMatch = true }, cancellationToken: None);
        Assert.Equal(Error.Types.Code.MatchFound, taken.Error.Code);
    }

    [Fact]
    public async Task Delete_OfMoreNodesThanThereAreReplicas_SaysWhy()
    {
        var delete = ClientCodec.Delete(new ObjectKey("default", "flow", "confirmed"), new DeleteOptions { NodeConfirms = QuorumValue.Of(4) });
        var error = (await nodes.Kv(0).DeleteAsync(delete, cancellationToken: None)).Error;
        Assert.Equal((Error.Types.Code.NValViolation, false), (error.Code, error.Retryable));
    }

    [Fact]
    public async Task Calls_ThatMakeNoSense_AreStatuses()
    {
        var kv = nodes.Kv(0);
        var many = new MultiGetRequest();
        many.Gets.AddRange(Enumerable.Range(0, 101).Select(_ => new GetRequest()));
        var tooMany = await Assert.ThrowsAsync<RpcException>(async () => await kv.MultiGetAsync(many, cancellationToken: None));
        Assert.Equal((StatusCode.InvalidArgument, "101 gets, at most 100 go in one call"), (tooMany.StatusCode, tooMany.Status.Detail));
        var noBucket = await Assert.ThrowsAsync<RpcException>(async () => await kv.ListKeys(new ListKeysRequest(), cancellationToken: None).ResponseStream.MoveNext(None));
        Assert.Equal(StatusCode.InvalidArgument, noBucket.StatusCode);
        var noType = await Assert.ThrowsAsync<RpcException>(async () =>
            await kv.ListKeys(new ListKeysRequest { BucketType = "none", Bucket = ByteString.CopyFromUtf8("b") }, cancellationToken: None).ResponseStream.MoveNext(None));
        Assert.Equal(StatusCode.NotFound, noType.StatusCode);
    }

    public static TheoryData<string, Func<Admin.AdminClient, Task>, StatusCode, string> BadAdmin => new()
    {
        { "cluster id", async a => await a.CreateClusterAsync(new CreateClusterRequest { ClusterId = "x", ClusterName = "c" }), StatusCode.InvalidArgument, "invalid_cluster_id" },
        { "cluster name", async a => await a.CreateClusterAsync(new CreateClusterRequest()), StatusCode.InvalidArgument, "invalid_cluster_name" },
        { "ring size", async a => await a.CreateClusterAsync(new CreateClusterRequest { ClusterName = "c", RingSize = 60 }), StatusCode.InvalidArgument, "invalid_ring_size" },
        { "another cluster", async a => await a.CreateClusterAsync(new CreateClusterRequest { ClusterName = "c", ClusterId = Guid.NewGuid().ToString() }), StatusCode.FailedPrecondition, "already_member" },
        { "no peers", async a => await a.StageJoinAsync(new StageJoinRequest()), StatusCode.InvalidArgument, "no_nodes" },
        { "no leavers", async a => await a.StageLeaveAsync(new StageLeaveRequest()), StatusCode.InvalidArgument, "no_nodes" },
        { "a leaver's id", async a => await a.StageLeaveAsync(new StageLeaveRequest { NodeIds = { "node1" } }), StatusCode.InvalidArgument, "invalid_node_id" },
        { "a replacement without an address", async a => await a.StageReplaceAsync(new StageReplaceRequest { DeadId = "00000000000000e1" }), StatusCode.InvalidArgument, "no_nodes" },
        { "a dead member's id", async a => await a.StageReplaceAsync(new StageReplaceRequest { DeadId = "x", PeerAddress = "h:1" }), StatusCode.InvalidArgument, "invalid_node_id" },
        { "a replacement that is not there", async a => await a.StageReplaceAsync(new StageReplaceRequest { DeadId = "00000000000000e1", PeerAddress = "127.0.0.1:1" }), StatusCode.Unavailable, "not_reachable" },
        { "the removal of no member", async a => await a.StageRemoveAsync(new StageRemoveRequest { NodeId = "00000000000000e1" }), StatusCode.NotFound, "not_member" },
        { "the removal of nobody", async a => await a.StageRemoveAsync(new StageRemoveRequest()), StatusCode.InvalidArgument, "invalid_node_id" },
        { "joins by an old document", async a => await a.StageJoinAsync(new StageJoinRequest { PeerAddresses = { "h:1" }, DocumentVersion = 1 }), StatusCode.FailedPrecondition, "document_changed" },
        { "leaves by an old document", async a => await a.StageLeaveAsync(new StageLeaveRequest { NodeIds = { "00000000000000e1" }, DocumentVersion = 1 }), StatusCode.FailedPrecondition, "document_changed" },
        { "a replacement by an old document", async a => await a.StageReplaceAsync(new StageReplaceRequest { DeadId = "00000000000000e1", PeerAddress = "h:1", DocumentVersion = 1 }), StatusCode.FailedPrecondition, "document_changed" },
        { "a removal by an old document", async a => await a.StageRemoveAsync(new StageRemoveRequest { NodeId = "00000000000000e1", DocumentVersion = 1 }), StatusCode.FailedPrecondition, "document_changed" },
        { "clearing by an old document", async a => await a.ClearStagedAsync(new ClearStagedRequest { DocumentVersion = 1 }), StatusCode.FailedPrecondition, "document_changed" },
        { "no plan", async a => await a.CommitPlanAsync(new CommitPlanRequest()), StatusCode.InvalidArgument, "no_plan_id" },
        { "another plan", async a => await a.CommitPlanAsync(new CommitPlanRequest { PlanId = "x" }), StatusCode.FailedPrecondition, "" },
        { "a type without a name", async a => await a.CreateBucketTypeAsync(new CreateBucketTypeRequest()), StatusCode.InvalidArgument, "invalid_name" },
        { "props that are no JSON", async a => await a.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = "t", PropsJson = "{" }), StatusCode.InvalidArgument, "" },
        { "props that are wrong", async a => await a.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = "t", PropsJson = """{"n_val":0}""" }), StatusCode.InvalidArgument, "" },
        { "a type that is to be strongly consistent", async a => await a.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = "t", PropsJson = """{"props":{"consistent":true}}""" }), StatusCode.InvalidArgument, "" },
        { "a type that is not there", async a => await a.GetBucketTypeAsync(new GetBucketTypeRequest { Name = "none" }), StatusCode.NotFound, "" },
        { "activating what is not there", async a => await a.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = "none" }), StatusCode.NotFound, "" },
    };

    [Theory]
    [MemberData(nameof(BadAdmin), DisableDiscoveryEnumeration = true)]
    public async Task Administration_ThatMakesNoSense_IsAStatusWithAStableWord(string name, Func<Admin.AdminClient, Task> call, StatusCode code, string word)
    {
        Assert.NotEmpty(name);
        var error = await Assert.ThrowsAsync<RpcException>(() => call(nodes.Cluster.Nodes[0].Admin));
        Assert.Equal(code, error.StatusCode);
        Assert.StartsWith(word, error.Status.Detail, StringComparison.Ordinal);
        Assert.Matches("^[a-z_]+: .", error.Status.Detail);
    }

    [Fact]
    public async Task Metrics_NameOnlyWhatTheGlossaryHas()
    {
        using var http = new HttpClient();
        await nodes.Kv(0).PutAsync(new PutRequest { Key = KeyOf("metric"), Content = ContentOf("x") }, cancellationToken: None);

        // A machine that is busy for three seconds makes a peer look down for a moment.
        var text = "";
        await TestCluster.UntilAsync(
            async () => Regex.IsMatch(text = await http.GetStringAsync($"http://{nodes.Cluster.Nodes[0].Endpoint("metrics")}/metrics", None), "kv_peer_up\\{[^}]*peer=\"node2\"[^}]*\\} 1"), None);
        var types = text.Split('\n').Where(line => line.StartsWith("# TYPE kv_", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToDictionary(line => line[2], line => line[3]);
        var glossary = Metrics.MetricNames.All.ToDictionary(metric => metric.Name, metric => metric.Type);
        Assert.All(types, type => Assert.Equal(type.Value, Assert.Contains(type.Key, (IDictionary<string, string>)glossary)));
        Assert.Contains("kv_ring_version", types.Keys);
        Assert.Contains("kv_request_duration_seconds", types.Keys);
        Assert.Contains("dotnet_", text, StringComparison.Ordinal);
    }

    private static Key KeyOf(string key, string bucket = "bucket") => new() { Bucket = ByteString.CopyFromUtf8(bucket), Key_ = ByteString.CopyFromUtf8(key) };

    private static Content ContentOf(string text) => new() { Value = ByteString.CopyFrom(text, Encoding.UTF8), ContentType = "text/plain" };

    public sealed class ThreeNodes : IAsyncLifetime
    {
        private TestCluster? cluster;

        internal TestCluster Cluster => cluster!;

        internal Protos.Kv.V1.Kv.KvClient Kv(int node) => Cluster.Nodes[node % 3].Kv;

        public async ValueTask InitializeAsync() => cluster = await TestCluster.StartAsync(3, CancellationToken.None);

        public ValueTask DisposeAsync() => cluster?.DisposeAsync() ?? default;
    }
}
