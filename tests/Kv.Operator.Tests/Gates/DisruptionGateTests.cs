using Kv.Operator.Api;
using Kv.Operator.Gates;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Gates;

/// <summary>The gate's truth table: five members in a ring of ten, and one thing that is otherwise.</summary>
public sealed class DisruptionGateTests
{
    private static readonly GateSnapshot Quiet = new()
    {
        Members = [.. Enumerable.Range(0, 5).Select(i => new GateMember($"n{i}"))],
        Owners = [.. Enumerable.Range(0, 10).Select(partition => partition % 5)],
        Quorums = [new GateQuorum("bucket type default", 3, 2)],
        Views = 5,
        HintViews = 5,
        Converged = true,
        Policy = new GatePolicy { MinInterval = TimeSpan.FromMinutes(2) },
    };

    public static TheoryData<string, string?, bool> Table => new()
    {
        { "quiet", null, false },
        { "three of five views", null, false },
        { "two of five views", Conditions.Reasons.ViewsMissing, false },
        { "another down, in none of its lists", Conditions.Reasons.NodesDown, false },
        { "another down, in one of its lists", Conditions.Reasons.QuorumAtRisk, false },
        { "another leaving", Conditions.Reasons.NodesDown, false },
        { "another not ready", Conditions.Reasons.NodesDown, false },
        { "another with a full disk", Conditions.Reasons.DiskCritical, false },
        { "another with damaged data", Conditions.Reasons.DataDamaged, false },
        { "itself with damaged data", null, false },
        { "another up for 29 s", Conditions.Reasons.Settling, true },
        { "another back for 29 s, and up for long", Conditions.Reasons.Settling, true },
        { "another back for 31 s, and up for long", null, false },
        { "another up for 31 s", Conditions.Reasons.TooSoon, true },
        { "another up for 2 min", null, false },
        { "four of five tell their hints", Conditions.Reasons.ViewsMissing, false },
        { "not converged", Conditions.Reasons.RingConverging, true },
        { "a change staged", Conditions.Reasons.ChangeStaged, true },
        { "a transfer", Conditions.Reasons.HandingOff, true },
        { "a hint", Conditions.Reasons.HintsPending, true },
        { "itself not ready", null, false },
        { "itself not settled", null, false },
        { "itself with a full disk", null, false },
        { "itself down, and all else wrong", null, false },
        { "itself down, another on trial", Conditions.Reasons.NodesDown, false },
        { "itself down and on trial", null, false },
        { "no member", null, false },
        { "n_val 1", Conditions.Reasons.QuorumAtRisk, false },
        { "n_val 1, allowed", null, false },
        { "a bucket of a type of n_val 1", Conditions.Reasons.QuorumAtRisk, false },
        { "n_val 2", null, false },
        { "n_val 5, more than a list's other owners", null, false },
        { "pw all", null, false },
        { "pw all, another of its lists down", Conditions.Reasons.QuorumAtRisk, false },
        { "n_val 5, another down", Conditions.Reasons.NodesDown, false },
        { "n_val 5 and pw 4", null, false },
        { "n_val 5 and pw 4, another down", Conditions.Reasons.QuorumAtRisk, false },
    };

    [Theory]
    [InlineData(0, true)]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void Snapshot_HasADiskAsCritical_WithLessThanATwentiethFree(int free, bool isCritical)
    {
        var observed = Build.Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { DataBytes = 100 - free, FreeBytes = free } });
        Assert.Equal([false, isCritical, false], GateSnapshots.Of(Build.Cluster(), observed, observed.Ring!).Members.Select(member => member.IsDiskCritical));
    }

    [Theory]
    [InlineData(90, 40, 40)]
    [InlineData(20, 40, 20)]
    [InlineData(90, 0, 0)]
    [InlineData(90, null, 90)]
    public void Snapshot_HasAMemberUp_ForAsLongAsItRunsAndAllItsPeersSeeIt(int uptime, int? seen, int expected)
    {
        var observed = Build.Observed(3, 3).With(1, node => node with { Answer = node.Answer! with { Uptime = TimeSpan.FromSeconds(uptime) } });
        observed = seen is { } seconds ? observed.WithRing(ring => ring with { Members = ring.Members.SetItem(1, ring.Members[1] with { SeenUpFor = TimeSpan.FromSeconds(seconds) }) }) : observed;
        var member = GateSnapshots.Of(Build.Cluster(), observed, observed.Ring!).Members[1];
        Assert.Equal((TimeSpan.FromSeconds(expected), TimeSpan.FromSeconds(uptime)), (member.UpFor, member.Uptime));
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void MayGoDown_IsDecidedByOneThing(string what, string? reason, bool isPassing)
    {
        var verdict = DisruptionGate.MayGoDown(With(what), "n0");
        if (reason is null)
        {
            Assert.IsType<GateVerdict.Open>(verdict);
            return;
        }

        var closed = Assert.IsType<GateVerdict.Closed>(verdict);
        Assert.Equal((reason, isPassing), (closed.Reason, closed.IsPassing));
    }

    [Fact]
    public void MayGoDown_NamesTheFirstListThatWouldLoseItsQuorum()
    {
        var closed = Assert.IsType<GateVerdict.Closed>(DisruptionGate.MayGoDown(With("another down, in one of its lists"), "n0"));
        Assert.Equal("without n0 partition 0 (bucket type default, n_val 3) has 1 live owners and needs 2", closed.Message);
    }

    [Fact]
    public void MayGoDown_WithAQuorumOfAll_WarnsAndDoesNotWaitForEver()
    {
        var open = Assert.IsType<GateVerdict.Open>(DisruptionGate.MayGoDown(Quiet with { Quorums = [new GateQuorum("bucket type strict", 3, 3)] }, "n0"));
        Assert.Contains("bucket type strict", open.Warning, StringComparison.Ordinal);
        Assert.Null(Assert.IsType<GateVerdict.Open>(DisruptionGate.MayGoDown(Quiet, "n0")).Warning);
    }

    [Fact]
    public void MayGoDown_WhereANodeStandsTwiceInAList_WarnsAndDoesNotWaitForEver()
    {
        // Three nodes cannot share 64 partitions so that every three neighbours differ.
        var three = Quiet with { Members = Quiet.Members[..3], Owners = [.. Enumerable.Range(0, 64).Select(partition => partition % 3)] };
        Assert.NotNull(Assert.IsType<GateVerdict.Open>(DisruptionGate.MayGoDown(three, "n0")).Warning);
    }

    [Fact]
    public void MayGoDown_OfASingleNode_NeedsLeave()
    {
        var alone = Quiet with { Members = Quiet.Members[..1], Owners = [.. Enumerable.Repeat(0, 8)], Views = 1, HintViews = 1 };
        Assert.Equal(Conditions.Reasons.QuorumAtRisk, Assert.IsType<GateVerdict.Closed>(DisruptionGate.MayGoDown(alone, "n0")).Reason);
        Assert.IsType<GateVerdict.Open>(DisruptionGate.MayGoDown(alone with { Policy = new GatePolicy { AllowUnavailable = true } }, "n0"));
    }

    [Theory]
    [InlineData("{}", 3, 2)]
    [InlineData("""{"n_val":5,"r":1,"w":"one"}""", 5, 3)]
    [InlineData("""{"n_val":5,"pw":4}""", 5, 4)]
    [InlineData("""{"n_val":3,"pr":"all"}""", 3, 3)]
    [InlineData("""{"n_val":5,"rw":"all"}""", 5, 5)]
    [InlineData("""{"n_val":1,"r":"quorum"}""", 1, 1)]
    [InlineData("""{"n_val":3,"r":99}""", 3, 3)]
    [InlineData("what is this", 3, 2)]
    public void Quorums_AreTheMostThatATypeAsksFor(string props, int nVal, int required) =>
        Assert.Equal(new GateQuorum("bucket type t", nVal, required), Assert.Single(GateQuorums.Of(Told(("t", props)))));

    [Fact]
    public void Quorums_OfManyTypes_AreOneForEachNVal() =>
        Assert.Equal(
            [new GateQuorum("bucket type b", 3, 3), new GateQuorum("bucket type c", 2, 2)],
            GateQuorums.Of(Told(("a", """{"n_val":3}"""), ("b", """{"n_val":3,"w":"all"}"""), ("c", """{"n_val":2}"""))));

    [Fact]
    public void Quorums_AreThoseOfBucketsToo_WhereTheyAskForMore()
    {
        var told = Told(("default", """{"n_val":3}"""), ("wide", """{"n_val":5,"w":4}"""));
        told.StrictBuckets.Add(Bucket("cache", nVal: 1, quorum: 1));
        told.StrictBuckets.Add(Bucket("ledger", nVal: 3, quorum: 3));
        told.StrictBuckets.Add(Bucket("log", nVal: 5, quorum: 3));
        Assert.Equal(
            [new GateQuorum("bucket ledger of type default", 3, 3), new GateQuorum("bucket type wide", 5, 4), new GateQuorum("bucket cache of type default", 1, 1)],
            GateQuorums.Of(told));
    }

    [Fact]
    public void Quorums_OfABucketOfAnyName_CanBeReadInACondition()
    {
        var told = new Kv.Protos.Admin.V1.BucketTypes();
        told.StrictBuckets.Add(Bucket("\n" + new string('x', 99), nVal: 3, quorum: 2));
        Assert.Equal($"bucket ?{new string('x', 63)}… of type default", Assert.Single(GateQuorums.Of(told)).Whose);
    }

    [Fact]
    public void Quorums_OfATypeThatIsNotActive_DoNotCount()
    {
        var told = Told(("default", "{}"), ("once", """{"n_val":1}"""));
        told.BucketTypes_[1].State = Kv.Protos.Admin.V1.BucketType.Types.State.Ready;
        Assert.Equal("bucket type default", Assert.Single(GateQuorums.Of(told)).Whose);
    }

    private static Kv.Protos.Admin.V1.BucketTypes Told(params (string Name, string PropsJson)[] types)
    {
        var told = new Kv.Protos.Admin.V1.BucketTypes();
        told.BucketTypes_.Add(types.Select(type => new Kv.Protos.Admin.V1.BucketType { Name = type.Name, PropsJson = type.PropsJson, State = Kv.Protos.Admin.V1.BucketType.Types.State.Active }));
        return told;
    }

    private static Kv.Protos.Admin.V1.StrictBucket Bucket(string name, int nVal, int quorum) =>
        new() { BucketType = "default", Bucket = Google.Protobuf.ByteString.CopyFromUtf8(name), NVal = nVal, Quorum = quorum };

    private static GateSnapshot With(string what) => what switch
    {
        "quiet" => Quiet,
        "three of five views" => Quiet with { Views = 3 },
        "two of five views" => Quiet with { Views = 2 },
        "another down, in none of its lists" => new GateSnapshot
        {
            Members = [.. Quiet.Members, .. Enumerable.Range(5, 5).Select(i => new GateMember($"n{i}") { IsUp = i != 5 })],
            Owners = [.. Enumerable.Range(0, 10)],
            Quorums = Quiet.Quorums,
            Views = 10,
            HintViews = 10,
            Converged = true,
        },
        "another down, in one of its lists" => Other(member => member with { IsUp = false }),
        "another leaving" => Other(member => member with { IsValid = false }),
        "another not ready" => Other(member => member with { IsReady = false }),
        "another with a full disk" => Other(member => member with { IsDiskCritical = true }),
        "another with damaged data" => Other(member => member with { DamagedPartitions = 1 }),
        "itself with damaged data" => Itself(member => member with { DamagedPartitions = 1 }),
        "another up for 29 s" => Other(member => UpFor(member, 29)),
        "another back for 29 s, and up for long" => Other(member => member with { UpFor = TimeSpan.FromSeconds(29) }),
        "another back for 31 s, and up for long" => Other(member => member with { UpFor = TimeSpan.FromSeconds(31) }),
        "another up for 31 s" => Other(member => UpFor(member, 31)),
        "another up for 2 min" => Other(member => UpFor(member, 120)),
        "four of five tell their hints" => Quiet with { HintViews = 4 },
        "not converged" => Quiet with { Converged = false },
        "a change staged" => Quiet with { Staged = 1 },
        "a transfer" => Quiet with { PendingTransfers = 1 },
        "a hint" => Quiet with { PendingHints = 1 },
        "itself not ready" => Itself(member => member with { IsReady = false }),
        "itself not settled" => Itself(member => member with { UpFor = TimeSpan.Zero }),
        "itself with a full disk" => Itself(member => member with { IsDiskCritical = true }),
        "itself down, and all else wrong" => Itself(member => member with { IsDown = true, IsUp = false }) with { Views = 0, Converged = false, PendingTransfers = 9 },
        "itself down, another on trial" => Quiet with { Members = Other(member => member with { IsOnTrial = true }).Members.SetItem(0, Quiet.Members[0] with { IsDown = true }) },
        "itself down and on trial" => Itself(member => member with { IsDown = true, IsUp = false, IsOnTrial = true }),
        "no member" => Quiet with { Members = Quiet.Members.SetItem(0, new GateMember("other")) },
        "n_val 1" => Quiet with { Quorums = [new GateQuorum("bucket type cache", 1, 1)] },
        "n_val 1, allowed" => Quiet with { Quorums = [new GateQuorum("bucket type cache", 1, 1)], Policy = new GatePolicy { AllowUnavailable = true } },
        "a bucket of a type of n_val 1" => Quiet with { Quorums = [.. Quiet.Quorums, new GateQuorum("bucket a of type cache", 1, 1)] },
        "n_val 2" => Quiet with { Quorums = [new GateQuorum("bucket type pairs", 2, 2)] },
        "n_val 5, more than a list's other owners" => Quiet with { Members = Quiet.Members[..3], Owners = [.. Enumerable.Range(0, 8).Select(i => i % 3)], Quorums = [new GateQuorum("bucket type wide", 5, 5)] },
        "pw all" => Quiet with { Quorums = [new GateQuorum("bucket type strict", 3, 3)] },
        "pw all, another of its lists down" => Other(member => member with { IsUp = false }) with { Quorums = [new GateQuorum("bucket type strict", 3, 3)] },
        "n_val 5, another down" => Other(member => member with { IsUp = false }) with { Quorums = [new GateQuorum("bucket type wide", 5, 3)] },
        "n_val 5 and pw 4" => Quiet with { Quorums = [new GateQuorum("bucket type wide", 5, 4)] },
        "n_val 5 and pw 4, another down" => Other(member => member with { IsUp = false }) with { Quorums = [new GateQuorum("bucket type wide", 5, 4)] },
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, null),
    };

    private static GateSnapshot Other(Func<GateMember, GateMember> change) => Quiet with { Members = Quiet.Members.SetItem(2, change(Quiet.Members[2])) };

    private static GateMember UpFor(GateMember member, int seconds) => member with { UpFor = TimeSpan.FromSeconds(seconds), Uptime = TimeSpan.FromSeconds(seconds) };

    private static GateSnapshot Itself(Func<GateMember, GateMember> change) => Quiet with { Members = Quiet.Members.SetItem(0, change(Quiet.Members[0])) };
}
