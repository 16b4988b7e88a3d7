using Google.Protobuf;
using Kv.Protos.Admin.V1;
using Kv.Protos.Kv.V1;
using AdminType = Kv.Protos.Admin.V1.BucketType;
using TypeList = Kv.Protos.Admin.V1.BucketTypes;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>A small cluster as its nodes describe it: three members, one of them down, a partition on its way.</summary>
internal static class Samples
{
    private const long Time = 1_790_000_000_123_456;

    public static Cluster Cluster(string adminAddress) => new()
    {
        ClusterId = "7c1d9e7e-0000-0000-0000-000000000001",
        ClusterName = "example",
        DocumentVersion = 12,
        RingSize = 8,
        PendingTransfers = 1,
        Converged = true,
        LastCommittedPlanId = "p1",
        Claimant = "example-0",
        Members =
        {
            Member("example-0", "a", MemberState.Valid, true, 3, 3, adminAddress),
            Member("example-1", "b", MemberState.Valid, false, 3, 2, "127.0.0.1:1"),
            Member("example-2", "c", MemberState.Joining, true, 2, 3, ""),
        },
        Owners = { 0, 1, 2, 0, 1, 2, 0, 1 },
        NextOwners = { 0, 1, 2, 0, 1, 2, 0, 2 },
    };

    public static Node Node => new()
    {
        Id = "00000000000000e0",
        Name = "example-0",
        Version = "0.1.0",
        DataBytes = 3 * 512 * 1024,
        DiskFreeBytes = 80L << 30,
        UptimeSeconds = 90,
        FormatVersion = 1,
    };

    public static Transfers Transfers => new()
    {
        Transfers_ =
        {
            new Transfer
            {
                Kind = Transfer.Types.Kind.Ownership, State = Transfer.Types.State.Running, Partition = 7, From = "example-1", To = "example-2",
                ObjectsSent = 120, ObjectsTotal = 1000, BytesSent = 4096, SecondsSinceProgress = 2,
            },
            new Transfer
            {
                Kind = Transfer.Types.Kind.Hinted, State = Transfer.Types.State.Failed, Partition = 3, From = "example-0", To = "example-1",
                LastError = "\u001b[31mrefused",
            },
        },
    };

    public static TypeList Types => new()
    {
        BucketTypes_ =
        {
            new AdminType { Name = "default", State = AdminType.Types.State.Active, PropsJson = """{"n_val":3,"allow_mult":false,"last_write_wins":false}""" },
            new AdminType { Name = "carts", State = AdminType.Types.State.Created, MissingOn = { "example-1" }, PropsJson = """{"n_val":3,"allow_mult":true,"r":"quorum","precommit":[]}""" },
        },
    };

    public static Plan Plan => new()
    {
        PlanId = "117b",
        DocumentVersion = 12,
        Transfers = 2,
        Staged = { new StagedChange { Kind = StagedChange.Types.Kind.Join, NodeId = "00000000000000e3", NodeName = "example-3" } },
        Members =
        {
            new PlannedMember { Name = "example-0", Zone = "a", State = MemberState.Valid, PartitionsNow = 3, PartitionsAfter = 2 },
            new PlannedMember { Name = "example-3", Zone = "b", State = MemberState.Valid, PartitionsAfter = 2 },
        },
        Warnings = { "Not all replicas will be in distinct zones" },
    };

    public static ByteString Context => ByteString.CopyFrom(1, 2, 255);

    public static Content Sibling(string tag, ByteString value, bool deleted = false) => new()
    {
        Value = value,
        Vtag = tag,
        LastModifiedMicroseconds = Time,
        ContentType = deleted ? "" : "text/plain",
        Tombstone = deleted,
    };

    public static GetResponse Found(params Content[] siblings) => new() { Object = new Protos.Kv.V1.Object { Context = Context, Siblings = { siblings } } };

    public static Statistics Statistics => new() { Json = """{"node_gets":12,"node_get_fsm_time_95":1810,"nodename":"example-0","connected_nodes":["example-1","example-2"],"sys_wordsize":8}""" };

    public static Peers Peers => new() { Peers_ = { new Peer { Id = "00000000000000e1", Name = "example-1" }, new Peer { Id = "00000000000000e2", Name = "example-2", Up = true } } };

    public static AntiEntropy AntiEntropy => new()
    {
        On = true,
        Trees =
        {
            new HashTrees { Partition = 3, State = HashTrees.Types.State.Built, BuiltAt = 1_700_000_000 },
            new HashTrees { Partition = 4, State = HashTrees.Types.State.Waiting, LastError = "the partition's vnode is overloaded" },
        },
        Exchanges =
        {
            new Exchange
            {
                State = Exchange.Types.State.Failed, Partition = 4, PeerPartition = 5, Peer = "example-2", FirstPartition = 3, NVal = 3, MillisecondsSinceEnd = -1,
                LastError = "no hash trees of that layout",
            },
            new Exchange
            {
                State = Exchange.Types.State.Waiting, Partition = 3, PeerPartition = 5, Peer = "example-2", FirstPartition = 3, NVal = 3, MillisecondsSinceEnd = 61_500,
                MillisecondsTaken = 12, KeysFound = 7, KeysRepaired = 6,
            },
        },
    };

    public static AntiEntropy Repairing => new()
    {
        On = true,
        KeyRepair = new KeyRepair
        {
            BucketType = "carts",
            Bucket = ByteString.CopyFromUtf8("eu"),
            From = ByteString.CopyFromUtf8("a"),
            Running = true,
            MillisecondsTaken = 1200,
            Partitions = 3,
            AllPartitions = 8,
            KeysFound = 120,
            KeysRepaired = 2,
            LastError = "partitions that could not be read: 1 (example-1 is down)",
        },
    };

    /// <summary>Answers of a member to all that status, ring, plan, transfers and diag ask.</summary>
    public static Func<IMessage, IMessage?> Member(Func<string> adminAddress) => request => request switch
    {
        GetClusterRequest => Cluster(adminAddress()),
        GetNodeRequest => Node,
        GetTransfersRequest => Transfers,
        GetPlanRequest => Plan,
        GetStatisticsRequest => Statistics,
        GetPeersRequest => Peers,
        GetPreflistsRequest => new Preflists(),
        GetAntiEntropyRequest or RepairPartitionRequest => AntiEntropy,
        RepairKeysRequest => Repairing,
        Kv.Protos.Admin.V1.ListBucketTypesRequest => Types,
        GetBucketTypeRequest => Types.BucketTypes_[1],
        _ => null,
    };

    private static Member Member(string name, string zone, MemberState state, bool up, int now, int next, string adminAddress)
    {
        var member = new Member { Id = "00000000000000e" + name[^1], Name = name, Zone = zone, State = state, Up = up, Partitions = now, NextPartitions = next, DocumentVersion = 12 };
        if (adminAddress.Length > 0)
        {
            member.Endpoints.Add("admin", adminAddress);
        }

        return member;
    }
}
