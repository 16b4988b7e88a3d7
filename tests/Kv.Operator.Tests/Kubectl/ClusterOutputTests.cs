using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>What a person sees of a cluster, letter by letter, and the names that a program finds.</summary>
public sealed class ClusterOutputTests
{
    [Fact]
    public async Task Status_IsTheClusterAtAGlance() => Assert.Equal(
        """
        cluster example (7c1d9e7e-0000-0000-0000-000000000001)
        ring of 8 partitions, document version 12, held by all members that are up
        2 of 3 members up, 1 ownership transfer to go, 2 transfers under way or waiting

        NODE        ZONE   STATE     UP    PARTITIONS   NEXT   VERSION      DATA   DISK FREE   ADMIN
        example-0   a      valid     yes            3      3   0.1.0     1.5 MiB      80 GiB   ADDRESS
        example-1   b      valid     no             3      2   -               -           -   127.0.0.1:1
        example-2   c      joining   yes            2      3   -               -           -   -

        BUCKET TYPE   STATE     MISSING ON
        default       active    -
        carts         created   example-1

        """,
        await OutputAsync("status"));

    [Fact]
    public async Task Ring_IsAMapOfEachPartition() => Assert.Equal(
        """
        ring of 8 partitions, 1 of them moves

        PARTITION   OWNER       UP    NEXT OWNER
                0   example-0   yes   -
                1   example-1   no    -
                2   example-2   yes   -
                3   example-0   yes   -
                4   example-1   no    -
                5   example-2   yes   -
                6   example-0   yes   -
                7   example-1   no    example-2

        """,
        await OutputAsync("ring"));

    [Fact]
    public async Task Plan_IsWhatACommitWouldDo() => Assert.Equal(
        """
        plan 117b on document version 12

        STAGED   NODE        ID
        join     example-3   00000000000000e3

        NODE        ZONE   STATE AFTER   PARTITIONS NOW   AFTER
        example-0   a      valid                      3       2
        example-3   b      valid                      0       2

        warning: Not all replicas will be in distinct zones
        A commit moves 2 partitions. To commit: kv plan commit 117b

        """,
        await OutputAsync("plan"));

    [Fact]
    public async Task Transfers_ShowProgress_AndNothingOfAnErrorMovesTheCursor() => Assert.Equal(
        """
        1 ownership transfer to go, 2 transfers under way or waiting

        PARTITION   KIND        STATE     FROM        TO            OBJECTS    SENT   IDLE   ERROR
                3   hinted      failed    example-0   example-1           0     0 B    0 s   \x1b[31mrefused
                7   ownership   running   example-1   example-2   120/~1000   4 KiB    2 s   -

        """,
        await OutputAsync("transfers"));

    [Fact]
    public async Task AaeStatus_ShowsTreesAndExchanges() => Assert.Equal(
        """
        hash trees of 1 of 2 partitions are built, no exchanges running, 1 failed

        PARTITION   NODE        TREES     ERROR
                4   example-0   waiting   the partition's vnode is overloaded

        PARTITION   NODE        TREES BUILT        WITH   PEER        KEYS OF   STATE        ENDED    TOOK   DIFFERED   REPAIRED   ERROR
                3   example-0   2023-11-14 22:13      5   example-2   3/3       waiting   61 s ago   12 ms          7          6   -
                4   example-0   -                     5   example-2   3/3       failed       never       -          0          0   no hash trees of that layout

        """,
        await OutputAsync("aae", "status"));

    [Fact]
    public async Task AaeRepair_AsksTheOwner_AndShowsThatPartition()
    {
        await using var node = await StartAsync();
        var run = await KvRun.OfAsync(["aae", "repair", "3", "-o", "json", "--admin-endpoint", node.Address]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal(
            """{"node":"example-0","partition":3,"peerPartition":5,"peer":"example-2","firstPartition":3,"nVal":3,"state":"waiting","millisecondsSinceEnd":61500,"millisecondsTaken":12,"keysFound":7,"keysRepaired":6,"lastError":null}""",
            Assert.Single(json["exchanges"]!.AsArray())!.ToJsonString());
        Assert.Equal("""{"node":"example-0","partition":3,"state":"built","builtAt":"2023-11-14T22:13:20Z","lastError":null}""", Assert.Single(json["trees"]!.AsArray())!.ToJsonString());
    }

    [Fact]
    public async Task AaeRepair_OfABucketsKeys_AsksForThem_AndFollowsItToItsEnd()
    {
        await using var node = await StartAsync();
        RepairKeysRequest? asked = null;
        var polls = 0;
        var answer = node.Answer;
        node.Answer = request =>
        {
            asked = request as RepairKeysRequest ?? asked;
            if (request is not GetAntiEntropyRequest)
            {
                return answer!(request);
            }

            var told = Samples.Repairing.Clone();
            told.KeyRepair.MillisecondsTaken += ++polls;
            (told.KeyRepair.Running, told.KeyRepair.Partitions, told.KeyRepair.LastError) = polls < 2 ? (true, 5, "") : (false, 8, "");
            return told;
        };
        string[] arguments = ["aae", "repair", "--bucket-type", "carts", "--bucket", "eu", "--from", "a", "--admin-endpoint", node.Address];
        var run = await KvRun.OfAsync(arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(2, polls);
        Assert.Equal("repaired carts/eu from a: 8 of 8 partitions read, 120 keys, 2 of them repaired, 1202 ms\n", run.Output);
        Assert.Equal(("carts", "eu", "a", ""), (asked!.BucketType, asked.Bucket.ToStringUtf8(), asked.From.ToStringUtf8(), asked.To.ToStringUtf8()));
        var json = JsonNode.Parse((await KvRun.OfAsync([.. arguments, "-o", "json"])).Output)!;
        Assert.Equal((120, false), ((int)json["keysFound"]!, (bool)json["running"]!));
    }

    [Theory]
    [InlineData(false, 3, "3 keys are not repaired", 1, 1)]
    [InlineData(false, 0, "partitions that could not be read: 1", 1, 1)]
    [InlineData(false, 0, "", 0, 0)]
    [InlineData(true, 3, "3 keys are not repaired", 4, 0)]
    public async Task AaeRepair_ThatLeftSomethingOut_OrDidNotEnd_Fails(bool isRunning, long left, string error, int exitCode, int statusCode)
    {
        await using var node = await StartAsync();
        var answer = node.Answer;
        node.Answer = request =>
        {
            if (request is not (RepairKeysRequest or GetAntiEntropyRequest))
            {
                return answer!(request);
            }

            var told = Samples.Repairing.Clone();
            (told.KeyRepair.Running, told.KeyRepair.KeysNotRepaired, told.KeyRepair.LastError) = (isRunning, left, error);
            return told;
        };
        var run = await KvRun.OfAsync(["aae", "repair", "--bucket", "eu", "--timeout", "1s", "--admin-endpoint", node.Address]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Equal(isRunning, run.Error.Contains("goes on", StringComparison.Ordinal));
        Assert.StartsWith(isRunning ? "repairing carts/eu" : "repaired carts/eu", run.Output, StringComparison.Ordinal);
        var status = await KvRun.OfAsync(["aae", "status", "-o", "json", "--admin-endpoint", node.Address]);
        Assert.Equal(statusCode, status.ExitCode);
        Assert.Equal(left, (long)JsonNode.Parse(status.Output)!["keyRepairs"]![0]!["keysNotRepaired"]!);
    }

    [Fact]
    public async Task AaeRepair_WhoseNodeIsStartedAnew_SaysSo()
    {
        await using var node = await StartAsync();
        var answer = node.Answer;
        node.Answer = request => request is GetAntiEntropyRequest ? new AntiEntropy { On = true } : answer!(request);
        var run = await KvRun.OfAsync(["aae", "repair", "--bucket-type", "carts", "--bucket", "eu", "--from", "a", "--admin-endpoint", node.Address]);
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("was started anew", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 0, 6)]
    [InlineData(1000, 4, 0)]
    public async Task AaeRepair_OfAPartition_WaitsForTheComparisonsThatItAskedFor(int polls, int exitCode, int repaired)
    {
        await using var node = await StartAsync();
        var (answer, asked) = (node.Answer, 0);
        node.Answer = request =>
        {
            if (answer!(request) is not AntiEntropy told)
            {
                return answer!(request);
            }

            var isWanted = request is RepairPartitionRequest || ++asked < polls;
            foreach (var exchange in told.Exchanges.Where(exchange => exchange.Partition == 3))
            {
                (exchange.Wanted, exchange.KeysRepaired) = (isWanted, isWanted ? 0 : exchange.KeysRepaired);
            }

            return told;
        };
        var run = await KvRun.OfAsync(["aae", "repair", "3", "-o", "json", "--timeout", exitCode == 0 ? "1m" : "1s", "--admin-endpoint", node.Address]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Equal(exitCode != 0, run.Error.Contains("goes on", StringComparison.Ordinal));
        Assert.Equal(repaired, (int)Assert.Single(JsonNode.Parse(run.Output)!["exchanges"]!.AsArray())!["keysRepaired"]!);
    }

    [Theory]
    [InlineData("name a PARTITION or a --bucket")]
    [InlineData("not both", "3", "--bucket", "eu")]
    [InlineData("go with --bucket", "--from", "a")]
    [InlineData("the bucket is empty", "--bucket", "")]
    public async Task AaeRepair_OfNothing_OrOfTwoThings_SaysSo(string text, params string[] arguments)
    {
        await using var node = await StartAsync();
        var run = await KvRun.OfAsync(["aae", "repair", .. arguments, "--admin-endpoint", node.Address]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("99", 2, "there is no partition 99: the ring has 0 to 7")]
    [InlineData("x", 2, "x")]
    public async Task AaeRepair_OfWhatIsNoPartition_SaysSo(string partition, int exitCode, string text)
    {
        await using var node = await StartAsync();
        var run = await KvRun.OfAsync(["aae", "repair", partition, "--admin-endpoint", node.Address]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BucketTypeList_ShowsWhereOneIsMissing() => Assert.Equal(
        """
        NAME      STATE     N_VAL   ALLOW_MULT   LAST_WRITE_WINS   MISSING ON
        default   active        3   false        false             -
        carts     created       3   true         -                 example-1

        """,
        await OutputAsync("bucket-type", "list"));

    [Fact]
    public async Task BucketTypeStatus_ShowsEveryProperty() => Assert.Equal(
        """
        carts has been created but cannot be activated yet: it is not seen on example-1

        PROPERTY     VALUE
        allow_mult   true
        n_val        3
        precommit    []
        r            quorum

        """,
        await OutputAsync("bucket-type", "status", "carts"));

    [Fact]
    public async Task StatusAsJson_HasTheNamesThatProgramsKnow()
    {
        var status = JsonNode.Parse(await OutputAsync("status", "-o", "json"))!.AsObject();
        Assert.Equal(
            ["cluster", "clusterId", "documentVersion", "converged", "ringSize", "pendingTransfers", "rebuilding", "lastCommittedPlanId", "members", "staged", "transfers", "bucketTypes"],
            status.Select(field => field.Key));
        Assert.Equal(
            ["name", "id", "zone", "state", "up", "partitions", "nextPartitions", "documentVersion", "endpoints", "version", "formatVersion", "dataBytes", "diskFreeBytes", "uptimeSeconds", "damaged"],
            status["members"]![0]!.AsObject().Select(field => field.Key));
        Assert.Equal("joining", status["members"]![2]!["state"]!.GetValue<string>());
        Assert.Equal(
            ["kind", "state", "partition", "from", "to", "objectsSent", "bytesSent", "objectsTotal", "secondsSinceProgress", "lastError"],
            status["transfers"]![0]!.AsObject().Select(field => field.Key));
        Assert.Equal("created", status["bucketTypes"]![1]!["state"]!.GetValue<string>());
        Assert.Equal(3, status["bucketTypes"]![1]!["props"]!["n_val"]!.GetValue<int>());
    }

    [Fact]
    public async Task Status_NamesDamagedPartitions()
    {
        await using var node = await StartAsync();
        var answer = node.Answer;
        var damaged = new Node(Samples.Node) { Damaged = { new DamagedPartition { Partition = 4, Reason = "a checksum is wrong." } } };
        node.Answer = request => request is GetNodeRequest ? damaged : answer!(request);
        var run = await KvRun.OfAsync("status", "--admin-endpoint", node.Address);
        Assert.Contains(
            "\nexample-0: the data of partition 4 is damaged and not served: a checksum is wrong. `kv cluster rebuild 4` has it rebuilt from the other replicas\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RingAsJson_NamesTheNextOwner_OnlyWhereAPartitionMoves()
    {
        var partitions = JsonNode.Parse(await OutputAsync("ring", "-o", "json"))!["partitions"]!.AsArray();
        Assert.Equal(8, partitions.Count);
        Assert.Equal("""{"partition":0,"owner":"example-0","up":true}""", partitions[0]!.ToJsonString());
        Assert.Equal("""{"partition":7,"owner":"example-1","up":false,"nextOwner":"example-2"}""", partitions[7]!.ToJsonString());
    }

    [Fact]
    public async Task PlanAsJson_HasWhatACommitNeeds()
    {
        var plan = JsonNode.Parse(await OutputAsync("plan", "-o", "json"))!;
        Assert.Equal("117b", plan["planId"]!.GetValue<string>());
        Assert.Equal("""{"kind":"join","node":"example-3","id":"00000000000000e3"}""", plan["staged"]![0]!.ToJsonString());
    }

    [Fact]
    public async Task Value_OnATerminal_EndsItsLine()
    {
        await using var node = await StubNode.StartAsync(_ => Samples.Found(Samples.Sibling("t", ByteString.CopyFromUtf8("hello"))));
        Assert.Equal("hello\n", (await KvRun.WithAsync(["get", "b", "k", "--endpoint", node.Address], isInteractive: true)).Output);
        Assert.Equal("hello", (await KvRun.WithAsync(["get", "b", "k", "--endpoint", node.Address])).Output);
    }

    private static async Task<string> OutputAsync(params string[] arguments)
    {
        await using var node = await StartAsync();
        var run = await KvRun.OfAsync([.. arguments, "--admin-endpoint", node.Address]);
        Assert.Equal((0, ""), (run.ExitCode, arguments[0] is "transfers" or "aae" ? "" : run.Error));
        return run.Output.Replace(node.Address, "ADDRESS", StringComparison.Ordinal);
    }

    private static async Task<StubNode> StartAsync()
    {
        var node = await StubNode.StartAsync();
        node.Answer = Samples.Member(() => node.Address);
        return node;
    }
}
