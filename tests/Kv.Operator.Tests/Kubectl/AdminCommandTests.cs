using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary><c>kv admin</c>: what those who know <c>riak admin</c> see, letter by letter, and what scripts go by.</summary>
public sealed class AdminCommandTests
{
    [Fact]
    public async Task MemberStatus_IsRiaksTable() => Assert.Equal(
        """
        ================================= Membership ==================================
        Status     Ring    Pending    Node
        -------------------------------------------------------------------------------
        valid      37.5%     37.5%    'example-0' (zone a)
        valid      37.5%     25.0%    'example-1' (zone b, unreachable)
        joining    25.0%     37.5%    'example-2' (zone c)
        -------------------------------------------------------------------------------
        Valid:2 / Leaving:0 / Exiting:0 / Joining:1 / Down:0

        """,
        await OutputAsync("member-status"));

    [Fact]
    public async Task MemberStatus_OfARingThatRests_HasNothingPending()
    {
        var cluster = new Cluster { RingSize = 64, Converged = true, Members = { new Member { Name = "only", State = MemberState.Valid, Up = true, Partitions = 64, NextPartitions = 64 } } };
        var output = await OutputAsync(_ => cluster, "member-status");
        Assert.Contains("\nvalid     100.0%      --      'only'\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MemberStatusAsJson_HasSharesAndCounts()
    {
        var json = JsonNode.Parse(await OutputAsync("member-status", "-o", "json"))!;
        Assert.Equal("""{"name":"example-1","status":"valid","ringPercent":37.5,"pendingPercent":25,"zone":"b","up":false}""", json["members"]![1]!.ToJsonString());
        Assert.Equal("""{"valid":2,"leaving":0,"exiting":0,"joining":1,"down":0}""", json["counts"]!.ToJsonString());
    }

    [Fact]
    public async Task RingStatus_IsRiaksPage() => Assert.Equal(
        """
        ================================== Claimant ===================================
        Claimant:  'example-0'
        Status:     up
        Ring Ready: true

        ============================== Ownership Handoff ==============================
        Owner:      'example-1'
        Next Owner: 'example-2'

        Index: 7
          Waiting on: transfer running, 120 of ~1000 objects sent
        -------------------------------------------------------------------------------

        ============================== Unreachable Nodes ==============================
        The following nodes are unreachable: ['example-1']

        WARNING: No member can leave, and no new bucket type be activated, until all
        nodes are up. If the outages are long-term or permanent, you can either mark
        the nodes as down (kv admin cluster down NODE) or give them up (kv admin
        cluster replace, or force-remove), so that others rebuild what they owned.

        """,
        await OutputAsync("ring-status"));

    [Fact]
    public async Task RingStatus_OfARingThatRests_SaysSo()
    {
        var cluster = Whole();
        cluster.Converged = false;
        var output = await OutputAsync(request => request is GetClusterRequest ? cluster : null, "ring-status");
        Assert.Contains("Ring Ready: false\n", output, StringComparison.Ordinal);
        Assert.Contains("\nNo pending changes.\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\nAll nodes are up and reachable\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RingStatus_TellsRebuildsAndMarksAsDown()
    {
        var cluster = Whole();
        (cluster.Members[1].State, cluster.Members[1].Up, cluster.Claimant) = (MemberState.Down, false, "");
        cluster.Rebuilding.Add(4);
        var output = await OutputAsync(request => request is GetClusterRequest ? cluster : null, "ring-status");
        Assert.Contains("Claimant:  not told by the node's program\n", output, StringComparison.Ordinal);
        Assert.Contains("\nIndex: 4\n  Owner 'example-1' rebuilds it from the other replicas\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\nThe following nodes are marked as down: ['example-1']\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("unreachable:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RingStatusAsJson_HasWhatMoves()
    {
        var json = JsonNode.Parse(await OutputAsync("ring-status", "-o", "json"))!;
        Assert.Equal(("example-0", true), ((string?)json["claimant"], (bool)json["ringReady"]!));
        Assert.Equal(
            """[{"partition":7,"owner":"example-1","nextOwner":"example-2","waitingOn":"transfer running, 120 of ~1000 objects sent"}]""", json["ownershipHandoff"]!.ToJsonString());
        Assert.Equal("""["example-1"]""", json["unreachable"]!.ToJsonString());
        Assert.Equal("""["example-2"]""", json["notAnswering"]!.ToJsonString());
    }

    [Fact]
    public async Task RingReady_SaysItByItsExitCodeToo()
    {
        var cluster = Whole();
        Assert.Equal((0, "TRUE All nodes agree on the ring ['example-0','example-1','example-2']\n"), await ReadyAsync(cluster));
        cluster.Members[2].DocumentVersion = 11;
        cluster.Converged = false;
        Assert.Equal((1, "FALSE ['example-2'] do not hold version 12 of the ring yet\n"), await ReadyAsync(cluster));
        cluster.Members[1].Up = false;
        Assert.Equal((1, "FALSE ['example-1'] down. All nodes need to be up to check.\n"), await ReadyAsync(cluster));

        static async Task<(int ExitCode, string Output)> ReadyAsync(Cluster cluster)
        {
            var run = await RunAsync(_ => cluster, "ringready");
            return (run.ExitCode, run.Output);
        }
    }

    [Fact]
    public async Task Status_IsALineForEachFigure() => Assert.Equal(
        """
        1-minute stats for 'example-0'
        -------------------------------------------
        node_gets : 12
        node_get_fsm_time_95 : 1810
        nodename : 'example-0'
        connected_nodes : ['example-1','example-2']
        sys_wordsize : 8

        """,
        await OutputAsync("status"));

    [Fact]
    public async Task StatusAsJson_IsWhatTheNodeSaid() =>
        Assert.Equal(Samples.Statistics.Json, JsonNode.Parse(await OutputAsync("status", "example-0", "-o", "json"))!.ToJsonString());

    [Theory]
    [InlineData("example-9", 3, "there is no member example-9; there is example-0, example-1, example-2")]
    [InlineData("example-2", 4, "example-2 cannot be reached from here")]
    public async Task Status_OfANodeThatIsNotThere_SaysSo(string node, int exitCode, string error)
    {
        var run = await RunAsync(_ => null, "status", node);
        Assert.Equal((exitCode, $"kv: {error}\n"), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("[1]", "the node's statistics are no JSON object")]
    [InlineData("{", "the node's statistics are not JSON")]
    public async Task Status_ThatIsNoJson_SaysSo(string json, string error)
    {
        var run = await RunAsync(request => request is GetStatisticsRequest ? new Statistics { Json = json } : null, "status");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(error, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_OfAProgramThatDoesNotKnowIt_SaysSo()
    {
        await using var node = await StubNode.StartAsync();
        var run = await KvRun.OfAsync("admin", "status", "--admin-endpoint", node.Address);
        Assert.Equal((1, "kv: what answers there is not this port of a node, or a program that does not know the question yet\n"), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("transfers", "transfers")]
    [InlineData("aae-status", "aae status")]
    [InlineData("bucket-type list", "bucket-type list")]
    [InlineData("bucket-type status carts", "bucket-type status carts")]
    [InlineData("security print-users", "security print-users")]
    [InlineData("cluster plan", "cluster plan")]
    public async Task WhatAnotherCommandDoes_IsThatCommand(string admin, string other)
    {
        Func<IMessage, IMessage?> security = request => request is GetSecurityRequest ? new Security { Users = { new SecurityRole { Name = "ada" } } } : null;
        var run = await RunAsync(security, admin.Split(' '));
        await using var node = await StartAsync(security);
        var same = await KvRun.OfAsync([.. other.Split(' '), "--admin-endpoint", node.Address]);
        Assert.Equal((0, same.Output), (run.ExitCode, run.Output));
        Assert.Equal(same.Error, run.Error);
        Assert.NotEmpty(run.Output);
    }

    [Theory]
    [InlineData("create carts {\"props\":{\"n_val\":2}}", "carts created\ncarts has been created but cannot be activated yet: it is not seen on example-1\n")]
    [InlineData("activate carts", "carts has been activated\n", true)]
    [InlineData("update carts {\"r\":1}", "carts updated\n", true)]
    public async Task BucketTypes_AreChangedWithRiaksWords(string line, string expected, bool isActive = false)
    {
        var type = new BucketType(Samples.Types.BucketTypes_[1]);
        if (isActive)
        {
            type.State = BucketType.Types.State.Active;
            type.MissingOn.Clear();
        }

        Assert.Equal(expected, await OutputAsync(_ => type, ["bucket-type", .. line.Split(' ')]));
    }

    [Fact]
    public async Task ATransfer_IsShownOnce_ByTheOneThatSends()
    {
        await using var sender = await StubNode.StartAsync();
        await using var other = await StubNode.StartAsync();
        var cluster = new Cluster
        {
            RingSize = 8,
            PendingTransfers = 1,
            Members = { Up("n0", "e0", other.Address), Up("n1", "e1", sender.Address) },
            Owners = { 0, 1 },
            NextOwners = { 0, 0 },
        };
        other.Answer = request => request is GetClusterRequest ? cluster : new Transfers { Transfers_ = { Moving(Transfer.Types.State.Waiting, 0) } };
        sender.Answer = request => request is GetClusterRequest ? cluster : new Transfers { Transfers_ = { Moving(Transfer.Types.State.Running, 7) } };
        var run = await KvRun.OfAsync("admin", "transfers", "-o", "json", "--admin-endpoint", other.Address);
        var transfer = Assert.Single(JsonNode.Parse(run.Output)!["transfers"]!.AsArray())!;
        Assert.Equal(("running", 7), ((string?)transfer["state"], (int)transfer["objectsSent"]!));

        static Member Up(string name, string id, string address) => new() { Name = name, Id = id, Up = true, State = MemberState.Valid, Endpoints = { ["admin"] = address } };

        static Transfer Moving(Transfer.Types.State state, long sent) =>
            new() { Kind = Transfer.Types.Kind.Ownership, State = state, Partition = 1, From = "n1", To = "n0", ObjectsSent = sent };
    }

    [Theory]
    [InlineData("kv admin bucket-type create carts '{\"props\":{\"allow_mult\":true}}'")]
    [InlineData("kv admin status example-1 -o json", "status")]
    [InlineData("kv admin diag --level warning -o json", "diag")]
    public async Task Help_EndsWithExamples(string example, params string[] words)
    {
        var run = await KvRun.OfAsync(["admin", .. words, "--help"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains($"Examples:\n", run.Output, StringComparison.Ordinal);
        Assert.Contains($"\n  {example}\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diag_OfTheSample_NamesEachThing_TheWorstFirst()
    {
        var run = await RunAsync(Told, "diag");
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            """
            [error] members: example-1 cannot be reached, and others stand in for it. If that stays so: kv admin cluster down example-1
            [warning] answers: example-2 is up, and its admin port does not answer from here: what it says of itself is not among these findings
            [warning] bucket_types: the bucket type carts in its present form is not seen on example-1
            [notice] transfers: 1 ownership transfer to go: kv admin transfers

            """,
            run.Output);
    }

    [Fact]
    public async Task Diag_MakesTheChecksThatAreNamed_AndShowsWhatIsAtLeastOfTheLevel()
    {
        Assert.Equal((0, "[notice] transfers: 1 ownership transfer to go: kv admin transfers\n"), Of(await RunAsync(Told, "diag", "transfers", "disk")));
        Assert.Equal((0, "No diagnostic messages to report.\n"), Of(await RunAsync(Told, "diag", "transfers", "--level", "warning")));
        var json = JsonNode.Parse((await RunAsync(Told, "diag", "--level", "error", "-o", "json")).Output)!;
        Assert.Equal("""{"level":"error","check":"members"}""", Without(Assert.Single(json["findings"]!.AsArray())!.AsObject(), "text").ToJsonString());

        static (int, string) Of(KvRun run) => (run.ExitCode, run.Output);
    }

    [Fact]
    public async Task Diag_ListsItsChecks_AndAsksNobody()
    {
        var run = await KvRun.OfAsync("admin", "diag", "--list", "--kubeconfig", "/nowhere");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("Available diagnostic checks:\n\nCHECK          LOOKS FOR\nmembers        ", run.Output, StringComparison.Ordinal);
        var one = JsonNode.Parse((await KvRun.OfAsync("admin", "diag", "disk", "--list", "-o", "json")).Output)!;
        Assert.Equal("""{"checks":[{"name":"disk","description":"Disks that are nearly full"}]}""", one.ToJsonString());
    }

    [Fact]
    public async Task Diag_OfAnUnavailableCluster_IsNoAnswer()
    {
        var run = await KvRun.OfAsync("admin", "diag", "--admin-endpoint", "127.0.0.1:1", "--timeout", "2s");
        Assert.Equal((4, ""), (run.ExitCode, run.Output));
    }

    /// <summary>What the sample node says, but for the anti-entropy that fails in it and the transfer that does.</summary>
    private static IMessage? Told(IMessage request) => request switch
    {
        GetAntiEntropyRequest => new AntiEntropy { On = true },
        GetTransfersRequest => new Transfers(),
        _ => null,
    };

    /// <summary>The sample with all members up, and nothing under way.</summary>
    private static Cluster Whole()
    {
        var cluster = Samples.Cluster("");
        cluster.Members[1].Up = true;
        (cluster.PendingTransfers, cluster.NextOwners[7]) = (0, cluster.Owners[7]);
        return cluster;
    }

    private static JsonObject Without(JsonObject json, string field)
    {
        json.Remove(field);
        return json;
    }

    private static Task<string> OutputAsync(params string[] arguments) => OutputAsync(_ => null, arguments);

    private static async Task<string> OutputAsync(Func<IMessage, IMessage?> answer, params string[] arguments)
    {
        var run = await RunAsync(answer, arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return run.Output;
    }

    /// <param name="answer">What the sample's node says instead; null leaves its own answer.</param>
    private static async Task<KvRun> RunAsync(Func<IMessage, IMessage?> answer, params string[] arguments)
    {
        await using var node = await StartAsync(answer);
        return await KvRun.OfAsync(["admin", .. arguments, "--admin-endpoint", node.Address]);
    }

    private static async Task<StubNode> StartAsync(Func<IMessage, IMessage?> answer)
    {
        var node = await StubNode.StartAsync();
        var sample = Samples.Member(() => node.Address);
        node.Answer = request => answer(request) ?? sample(request);
        return node;
    }
}
