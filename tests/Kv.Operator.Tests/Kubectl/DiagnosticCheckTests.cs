using Kv.Kubectl.Diagnosis;
using Kv.Protos.Admin.V1;
using Xunit;
using TypeList = Kv.Protos.Admin.V1.BucketTypes;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>What each check of <c>kv admin diag</c> finds, and that it finds nothing where nothing is wrong.</summary>
public sealed class DiagnosticCheckTests
{
    private const long GiB = 1L << 30;

    /// <summary>Check, what is wrong, and what is said of it; none where nothing is.</summary>
    public static TheoryData<string, Action<World>, string> Cases => new()
    {
        { "members", w => w.Cluster.Members[1].Up = false, "Error: n1 cannot be reached, and others stand in for it" },
        { "members", w => (w.Cluster.Members[1].State, w.Cluster.Members[1].Up) = (MemberState.Down, false), "Warning: n1 is marked as down" },
        { "members", w => w.Of("n2").Node.Draining = true, "Notice: n2 is drained" },
        { "answers", w => w.Members["n1"] = null, "Warning: n1 is up, and its admin port does not answer" },
        { "links", w => w.Of("n0").Peers.Peers_.Add(new Peer { Id = "e1", Name = "n1" }), "Error: n0 does not reach n1, which others reach" },
        { "links", w => w.Of("n0").Peers.Peers_.Add(new Peer { Id = "e9", Name = "gone" }), "" },
        { "links", w => w.Of("n0").Peers.Peers_.Add(new Peer { Id = "e1", Name = "n1", Up = true }), "" },
        { "clocks", w => w.Clock("n2", seconds: 2.5, uncertainty: 0.1), "Warning: n2's clock is 2.5 s ahead of n1's" },
        { "clocks", w => w.Clock("n0", seconds: -90, uncertainty: 0.1), "Error: n0's clock is 90.0 s behind n1's" },
        { "clocks", w => w.Clock("n2", seconds: 2.5, uncertainty: 2), "" },
        { "clocks", w => w.Clock("n2", seconds: 0.9, uncertainty: 0), "" },
        { "clocks", w => w.Members["n0"] = w.Members["n1"] = w.Of("n2") with { Clock = null }, "" },
        { "programs", w => w.Of("n1").Node.Version = "0.2", "Notice: programs differ: 0.1 on n0, n2; 0.2 on n1" },
        { "programs", w => w.Of("n1").Node.FormatVersion = 2, "Notice: formats on disk differ: 1 on n0, n2; 2 on n1" },
        { "ring", w => (w.Cluster.Converged, w.Cluster.Members[2].DocumentVersion) = (false, 3), "Warning: version 4 of the ring is not seen on all members that are up: n2 has 3" },
        { "ring", w => w.Cluster.Converged = false, "Warning: version 4 of the ring is not seen on all members that are up" },
        { "ring", w => w.Cluster.Staged.Add(new StagedChange()), "Notice: 1 change staged and not committed" },
        { "replicas", w => w.Cluster.Members.RemoveAt(2), "Warning: some bucket has 3 replicas, and there are 2 members" },
        { "replicas", w => w.Types.StrictBuckets.Add(new StrictBucket { NVal = 5 }), "Warning: some bucket has 5 replicas, and there are 3 members" },
        { "replicas", w => w.Preflists.Add(new Preflist { NVal = 3, Alive = 0 }), "Critical: buckets with n_val 3: no primary that has its data is up for 1 of the ring's 8 ranges" },
        { "replicas", w => w.Preflists.Add(new Preflist { NVal = 3, Alive = 1 }), "Error: buckets with n_val 3: no majority of primaries that have their data is up for 1 of the ring's 8 ranges" },
        { "transfers", w => w.Cluster.PendingTransfers = 2, "Notice: 2 ownership transfers to go" },
        { "transfers", w => w.Cluster.Rebuilding.Add(3), "Notice: 1 partition being rebuilt" },
        { "transfers", w => w.Of("n0").Transfers.Transfers_.Add(Failed("n0", "n1", 10)), "Warning: the hinted transfer of partition 3 from n0 to n1 failed and is tried again: refused" },
        { "transfers", w => w.Of("n0").Transfers.Transfers_.Add(Failed("n0", "n1", 300)), "Error: the hinted transfer of partition 3 from n0 to n1 has not moved for 300 s: refused" },
        { "transfers", w => w.Of("n0").Transfers.Transfers_.Add(Failed("n0", "away", 300)), "" },
        { "bucket_types", w => w.Types.BucketTypes_[0].MissingOn.Add("n2"), "Warning: the bucket type default in its present form is not seen on n2" },
        { "bucket_types", w => w.Types.BucketTypes_.Add(new BucketType { Name = "carts", State = BucketType.Types.State.Ready, PropsJson = "{}" }), "Notice: the bucket type carts waits for its activation: kv admin bucket-type activate carts" },
        { "disk", w => w.Disk("n1", data: 80, free: 20), "Warning: n1 has 20 GiB of disk left beside 80 GiB of data. Add nodes" },
        { "disk", w => w.Disk("n1", data: 92, free: 8), "Critical: n1 has 8 GiB of disk left beside 92 GiB of data: it refuses writes before the disk is full" },
        { "disk", w => w.Disk("n1", data: 9.5, free: 0.5), "Critical: n1 has 512 MiB of disk left" },
        { "disk", w => w.Disk("n1", data: 0.1, free: 0.9), "" },
        { "disk", w => w.Disk("n1", data: 79, free: 21), "" },
        { "memory", w => w.Of("n1").Node.MemoryBytes = 19 * GiB / 10, "Warning: n1 uses 1.9 GiB of the 2 GiB of memory that it may have" },
        { "memory", w => w.Of("n1").Node.MemoryBytes = 2 * GiB, "Critical: n1 uses 2 GiB of the 2 GiB" },
        { "memory", w => (w.Of("n1").Node.MemoryBytes, w.Of("n1").Node.MemoryLimitBytes) = (2 * GiB, 0), "" },
        { "damage", w => w.Of("n1").Node.Damaged.Add(new DamagedPartition { Partition = 4, Reason = "a checksum is wrong." }), "Critical: n1: the data of partition 4 is damaged and not served: a checksum is wrong. To have it rebuilt: kv admin cluster rebuild 4 n1" },
        { "anti_entropy", w => w.Of("n1").AntiEntropy.On = false, "Warning: anti-entropy is off on n1" },
        { "anti_entropy", w => w.Of("n1").AntiEntropy.Trees.Add(new HashTrees { Partition = 5, LastError = "overloaded" }), "Warning: n1: hash trees of 1 partition could not be built, as of 5: overloaded" },
        { "anti_entropy", w => w.Of("n1").AntiEntropy.Exchanges.Add(new Exchange { State = Exchange.Types.State.Failed, Partition = 5, Peer = "n2", LastError = "no answer" }), "Warning: n1: 1 comparison failed and will be tried again, as that of partition 5 with n2: no answer" },
        { "anti_entropy", w => w.Of("n1").AntiEntropy.KeyRepair = new KeyRepair { KeysNotRepaired = 2, LastError = "2 keys are not repaired" }, "Warning: n1: repaired /" },
    };

    [Theory, MemberData(nameof(Cases))]
    public void AFinding_IsThatOfItsCheckAlone(string check, Action<World> change, string expected)
    {
        ArgumentNullException.ThrowIfNull(change);
        var world = new World();
        change(world);
        var found = DiagnosticCheck.All.Single(one => one.Name == check).Find(world.Facts).Select(finding => $"{finding.Level}: {finding.Text}").ToList();
        if (expected.Length == 0)
        {
            Assert.Empty(found);
        }
        else
        {
            Assert.StartsWith(expected, Assert.Single(found), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AClusterThatIsWell_HasNoFinding() => Assert.Empty(DiagnosticCheck.All.SelectMany(check => check.Find(new World().Facts)));

    [Fact]
    public void EachCheck_HasACase() => Assert.Equal(DiagnosticCheck.All.Select(check => check.Name).Order(StringComparer.Ordinal), Cases.Select(one => one.Data.Item1).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void AClock_IsReadInTheMiddleOfItsQuestion()
    {
        var asked = DateTimeOffset.FromUnixTimeMilliseconds(1_000_000);
        Assert.Equal(new ClockReading(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1)), ClockReading.Of(1_004_000, asked, TimeSpan.FromSeconds(2)));
        Assert.Equal(TimeSpan.FromMilliseconds(-500), ClockReading.Of(999_500, asked, TimeSpan.Zero).Ahead);
    }

    private static Transfer Failed(string from, string to, long seconds)
    {
        var (kind, state) = (Transfer.Types.Kind.Hinted, Transfer.Types.State.Failed);
        return new Transfer { Kind = kind, State = state, Partition = 3, From = from, To = to, SecondsSinceProgress = seconds, LastError = "refused" };
    }

    /// <summary>Three members with which nothing is wrong.</summary>
    public sealed class World
    {
        internal Cluster Cluster { get; } = new() { RingSize = 8, DocumentVersion = 4, Converged = true };

        internal TypeList Types { get; } = new() { BucketTypes_ = { new BucketType { Name = "default", State = BucketType.Types.State.Active, PropsJson = """{"n_val":3}""" } } };

        internal List<Preflist> Preflists { get; } = [];

        internal SortedDictionary<string, MemberFacts?> Members { get; } = new(StringComparer.Ordinal);

        public World()
        {
            for (var i = 0; i < 3; i++)
            {
                var (name, id) = ($"n{i}", $"e{i}");
                Cluster.Members.Add(new Member { Name = name, Id = id, State = MemberState.Valid, Up = true, DocumentVersion = 4 });
                var node = new Node { Name = name, Id = id, Version = "0.1", FormatVersion = 1, DataBytes = GiB, DiskFreeBytes = 99 * GiB, MemoryLimitBytes = 2 * GiB, MemoryBytes = GiB };
                Members[name] = new MemberFacts(node, new Transfers(), new Peers(), new AntiEntropy { On = true }, new ClockReading(TimeSpan.Zero, TimeSpan.Zero));
            }
        }

        internal ClusterFacts Facts => new() { Cluster = Cluster, BucketTypes = Types, Preflists = Preflists, Members = Members };

        internal MemberFacts Of(string name) => Members[name]!;

        internal void Clock(string name, double seconds, double uncertainty) =>
            Members[name] = Of(name) with { Clock = new ClockReading(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(uncertainty)) };

        internal void Disk(string name, double data, double free) => (Of(name).Node.DataBytes, Of(name).Node.DiskFreeBytes) = ((long)(data * GiB), (long)(free * GiB));
    }
}
