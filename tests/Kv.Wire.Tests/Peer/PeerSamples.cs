using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Wire.Tests.Peer;

/// <summary>One or more of each message, every field with a value of its own.</summary>
internal static class PeerSamples
{
    private static readonly NodeId First = new(0x1122334455667788);
    private static readonly NodeId Second = new(0x99aabbccddeeff01);
    private static readonly Guid Cluster = Guid.Parse("6f0c6f3e-26a1-4fd4-8f5a-2f6b6a5b7c11");
    private static readonly TreeRange Range = new(new PartitionId(5), 3);
    private static readonly ObjectKey Key = new("fruit", "basket", "apple");

    private static readonly VersionVector Clock = VersionVector.FromEntries(
    [
        new ClockEntry(new ActorId(First, new PartitionId(3), 1), 17, 1_700_000_000),
        new ClockEntry(new ActorId(Second, new PartitionId(5), 2), 4, 1_700_000_001),
    ]);

    private static readonly Sibling Value = new()
    {
        Dot = new Dot(new ActorId(First, new PartitionId(3), 1), 17),
        Value = "red"u8.ToArray(),
        LastModifiedMicroseconds = 1_700_000_000_123_456,
        VTag = "tag",
        Metadata = new ObjectMetadata
        {
            ContentType = "text/plain",
            Charset = "utf-8",
            ContentEncoding = "identity",
            Links = [new Link("b", "k", "t")],
            UserMetadata = [KeyValuePair.Create("colour", "red")],
            Indexes = [KeyValuePair.Create("age_int", "3"), KeyValuePair.Create("name_bin", "é")],
        },
    };

    private static readonly DataTypeOperation Operations = new DataTypeOperation.ChangeMap(
        [
            Update("c", new DataTypeOperation.Increment(-300)),
            Update("s", new DataTypeOperation.ChangeSet([Text("a"), Text("b")], [Text("c")])),
            Update("r", new DataTypeOperation.Assign(Text("v"))),
            Update("f", new DataTypeOperation.SetFlag(true)),
            Update("m", new DataTypeOperation.ChangeMap([], [])),
        ],
        [new FieldName(Text("gone"), DataTypeKind.Map)]);

    private static readonly Member Node = new(
        First,
        "node1",
        "west",
        MemberState.Joining,
        ImmutableSortedDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal).Add("peer", "10.0.0.1:9081").Add("grpc", "10.0.0.1:9080"));

    private static readonly ClusterDocument Document = new()
    {
        ClusterId = Cluster,
        ClusterName = "orchard",
        Version = 12,
        Ring = new Ring([.. Enumerable.Repeat(First, 8)], [.. Enumerable.Repeat(First, 8)]),
        Members = [Node with { State = MemberState.Valid }],
    };

    public static IReadOnlyList<(string Name, PeerRequest Request)> Requests { get; } =
    [
        ("VnodeGet", new PeerRequest.VnodeGet(new PartitionId(7), Key, HeadOnly: true) { DocumentVersion = 12 }),
        ("VnodePut", new PeerRequest.VnodePut(new PartitionId(7), Key, "stored"u8.ToArray(), VnodePutKind.Handoff, Durability.Interval) { DocumentVersion = 13, Fence = new Fence(3, 0x0102030405060708) }),
        ("Forward.Get", new PeerRequest.Forward(new KvRequest.Get
        {
            Key = Key,
            Timeout = TimeSpan.FromSeconds(3),
            SloppyQuorum = false,
            NVal = 2,
            NodeConfirms = QuorumValue.One,
            IsForwarded = true,
            R = QuorumValue.Of(2),
            Pr = QuorumValue.All,
            BasicQuorum = true,
            NotFoundOk = false,
            HeadOnly = true,
            IfModified = Clock,
        })),
        ("Forward.Get.Defaults", new PeerRequest.Forward(new KvRequest.Get { Key = Key })),
        ("Forward.Put", new PeerRequest.Forward(new KvRequest.Put
        {
            Key = Key,
            Content = Value,
            Context = Clock,
            W = QuorumValue.Quorum,
            Dw = QuorumValue.Of(1),
            Pw = QuorumValue.Of(3),
            ReturnBody = true,
            IfNoneMatch = true,
            AsIs = true,
        })),
        ("Forward.Put.Tombstone", new PeerRequest.Forward(new KvRequest.Put
        {
            Key = Key,
            Content = new Sibling { Dot = null, IsTombstone = true },
            ReturnHead = true,
            IfNotModified = true,
        })),
        ("Forward.Put.Update", new PeerRequest.Forward(new KvRequest.Put
        {
            Key = Key,
            Content = new Sibling { Dot = null },
            Update = new DataTypeUpdate(Operations, Clock),
        })),
        ("Forward.Put.Update.Grow", new PeerRequest.Forward(new KvRequest.Put
        {
            Key = Key,
            Content = new Sibling { Dot = null },
            Update = new DataTypeUpdate(new DataTypeOperation.Grow([Text("a")]), null),
        })),
        ("Forward.Put.Update.Observe", new PeerRequest.Forward(new KvRequest.Put
        {
            Key = Key,
            Content = new Sibling { Dot = null },
            Update = new DataTypeUpdate(new DataTypeOperation.Observe([]), null),
        })),
        ("Forward.Delete", new PeerRequest.Forward(new KvRequest.Delete
        {
            Key = Key,
            Context = Clock,
            Rw = QuorumValue.Of(1),
            R = QuorumValue.Of(2),
            Pr = QuorumValue.Of(3),
            W = QuorumValue.Of(4),
            Dw = QuorumValue.Of(5),
            Pw = QuorumValue.Of(6),
        })),
        ("VnodeList.Keys", new PeerRequest.VnodeList(new PartitionId(2), "fruit", "basket"u8.ToArray(), 99, 1000)),
        ("VnodeList.Buckets", new PeerRequest.VnodeList(new PartitionId(2), "default", null, 0, 1)),
        ("VnodeScan", new PeerRequest.VnodeScan(new PartitionId(2), ScanSpace.Index, "from"u8.ToArray(), "until"u8.ToArray(), 500, "^a+$", 4)),
        ("VnodeScan.Records", new PeerRequest.VnodeScan(new PartitionId(2), ScanSpace.Records, "from"u8.ToArray(), default, 1, null, 0)),
        ("HandoffBatch", new PeerRequest.HandoffBatch(new PartitionId(4), [new StoredEntry("a"u8.ToArray(), "1"u8.ToArray()), new StoredEntry("b"u8.ToArray(), default)])),
        ("Heartbeat", new PeerRequest.Heartbeat { DocumentVersion = long.MaxValue }),
        ("GetDocument", new PeerRequest.GetDocument { DocumentVersion = 1 }),
        ("LearnDocument", new PeerRequest.LearnDocument(Document) { DocumentVersion = 12 }),
        ("Prepare", new PeerRequest.Prepare(Cluster, 13, new Ballot(2, First))),
        ("Accept", new PeerRequest.Accept(Cluster, 13, new Ballot(3, Second), Document)),
        ("Propose", new PeerRequest.Propose(new DocumentChange.MarkDown(Second))),
        ("Identify", new PeerRequest.Identify()),
        ("Inspect", new PeerRequest.Inspect(0x0000000500000002, [new ReapedKey(Key, 0xfedcba9876543210), new ReapedKey(new ObjectKey("nut", "b", "k"), 1)]) { DocumentVersion = 12 }),
        ("Seal", new PeerRequest.Seal(0x0000000500000002, [true, false])),
        ("Reap", new PeerRequest.Reap([new ReapedKey(Key, 0xfedcba9876543210)])),
        ("GetHoldings", new PeerRequest.GetHoldings()),
        ("Rebuild", new PeerRequest.Rebuild(new PartitionId(9), 41, 0xfedcba9876543210, RebuildStep.Send) { DocumentVersion = 42 }),
        ("GetUp", new PeerRequest.GetUp()),
        ("KnowsSecurity", new PeerRequest.KnowsSecurity()),
        ("KnowsOrdered", new PeerRequest.KnowsOrdered()),
        ("KnowsMemory", new PeerRequest.KnowsMemory()),
        ("KnowsExpiry", new PeerRequest.KnowsExpiry()),
        ("GetTime", new PeerRequest.GetTime()),
        ("GetVolume", new PeerRequest.GetVolume()),
        ("KnowsHooks", new PeerRequest.KnowsHooks()),
        ("TreeRoot", new PeerRequest.TreeRoot(new PartitionId(6), Range, 0x0102030405060708, 0xaabbccdd) { DocumentVersion = 12 }),
        ("TreeBranches", new PeerRequest.TreeBranches(new PartitionId(6), Range, 9)),
        ("TreeSegments", new PeerRequest.TreeSegments(new PartitionId(6), Range, 9, [0, 17, 255])),
        ("TreeEntries", new PeerRequest.TreeEntries(new PartitionId(6), Range, 9, [1, 65535], "after"u8.ToArray())),
        ("TreeRelease", new PeerRequest.TreeRelease(new PartitionId(6), Range)),
        ("TreeLeaves", new PeerRequest.TreeLeaves(new PartitionId(6), Range, 9, 3, [1, 65535])),
        ("TreeLeafEntries", new PeerRequest.TreeLeafEntries(new PartitionId(6), Range, 9, 3, [1, 524287], "after"u8.ToArray())),
    ];

    public static IReadOnlyList<(string Name, PeerReply Reply)> Replies { get; } =
    [
        ("Time", new PeerReply.Time(0x0005f0a1b2c3d4e5)),
        ("TreeHashes", new PeerReply.TreeHashes([1, 0xffffffff])),
        ("TreePage", new PeerReply.TreePage([new TreeEntry("k"u8.ToArray(), 0x1122334455667788), new TreeEntry("l"u8.ToArray(), 2)], 1)),
        ("Unreachable", new PeerReply.Unreachable()),
        ("TimedOut", new PeerReply.TimedOut()),
        ("Overloaded", new PeerReply.Overloaded { DocumentVersion = 3 }),
        ("StaleFence", new PeerReply.StaleFence { DocumentVersion = 3, Fence = new Fence(7, 9) }),
        ("DoneEach", new PeerReply.DoneEach([true, false, true])),
        ("WrongOwner", new PeerReply.WrongOwner { DocumentVersion = 4 }),
        ("Refused", new PeerReply.Refused("not_ready: it starts")),
        ("Done", new PeerReply.Done { DocumentVersion = 5 }),
        ("Object", new PeerReply.Object("stored"u8.ToArray())),
        ("Object.None", new PeerReply.Object(null)),
        ("Forwarded.Found", new PeerReply.Forwarded(new KvOutcome.Found(Stored()))),
        ("Forwarded.NotFound", new PeerReply.Forwarded(new KvOutcome.NotFound(null))),
        ("Forwarded.NotFound.Tombstone", new PeerReply.Forwarded(new KvOutcome.NotFound(Clock))),
        ("Forwarded.Unchanged", new PeerReply.Forwarded(new KvOutcome.Unchanged())),
        ("Forwarded.Stored", new PeerReply.Forwarded(new KvOutcome.Stored(null))),
        ("Forwarded.Stored.Body", new PeerReply.Forwarded(new KvOutcome.Stored(Stored()))),
        ("Forwarded.Deleted", new PeerReply.Forwarded(new KvOutcome.Deleted())),
        .. Errors().Select(error => ("Forwarded." + error.GetType().Name, (PeerReply)new PeerReply.Forwarded(new KvOutcome.Failed(error)))),
        ("ListPage", new PeerReply.ListPage(["a"u8.ToArray(), "bc"u8.ToArray()], 77)),
        ("ListPage.Last", new PeerReply.ListPage([], null)),
        ("ScanPage", new PeerReply.ScanPage(["a"u8.ToArray(), "bc"u8.ToArray()], "bd"u8.ToArray())),
        ("ScanPage.Last", new PeerReply.ScanPage([], null)),
        ("Document", new PeerReply.Document(Document)),
        ("Document.None", new PeerReply.Document(null)),
        ("Promised", new PeerReply.Promised(new Ballot(1, Second), Document)),
        ("Promised.Nothing", new PeerReply.Promised(Ballot.Zero, null)),
        ("Accepted", new PeerReply.Accepted()),
        ("Rejected", new PeerReply.Rejected(new Ballot(9, First))),
        ("Proposed.Changed", new PeerReply.Proposed(new DocumentChangeResult.Changed(Document))),
        ("Proposed.Unchanged", new PeerReply.Proposed(new DocumentChangeResult.Unchanged())),
        ("Proposed.Refused", new PeerReply.Proposed(new DocumentChangeResult.Refused("plan_changed", "read it again"))),
        ("Identity", new PeerReply.Identity(Node, Cluster)),
        ("Holdings", new PeerReply.Holdings(1L << 40, [new PartitionHolding(new PartitionId(3), 7, 4096), new PartitionHolding(new PartitionId(7), 0, 0)])),
        ("Volume", new PeerReply.Volume(new VolumeSpace(1L << 37, 3L << 36, 512L << 20))),
        ("Rebuilding", new PeerReply.Rebuilding("the target is full") { DocumentVersion = 42 }),
        ("Up", new PeerReply.Up([First, Second])),
        ("Identity.Alone", new PeerReply.Identity(Node with { Zone = "" }, null)),
    ];

    private static KvObject Stored() => KvObject.Create(Clock, [Value]);

    private static IEnumerable<KvError> Errors() =>
    [
        new KvError.NValViolation(3),
        new KvError.QuorumValueViolation("pw"),
        new KvError.Unsatisfied("dw", 3, 1, true),
        new KvError.InsufficientVnodes(1, 2),
        new KvError.AllNodesDown(),
        new KvError.Timeout(true),
        new KvError.Overload(false),
        new KvError.NotReady("it starts"),
        new KvError.UnknownBucketType("nut"),
        new KvError.MatchFound(),
        new KvError.Modified(),
        new KvError.NotFoundForCondition(),
        new KvError.TooManySiblings(101, 100),
        new KvError.ObjectTooLarge(5_000_000_000, 50),
        new KvError.InvalidRequest("an empty key"),
        new KvError.StorageFailed("the disk is gone"),
        new KvError.IndexesNotSupported("faster"),
        new KvError.PreCommitFailed("too long", IsOfHook: false),
    ];

    private static KeyValuePair<FieldName, DataTypeOperation> Update(string field, DataTypeOperation operation) => new(new FieldName(Text(field), operation.Kind), operation);

    private static ReadOnlyMemory<byte> Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
