using System.Collections.Immutable;
using Kv.Operator.Gates;

namespace Kv.Operator.Clusters;

/// <summary>What was seen of a cluster in one pass: its objects (or processes), its nodes, and the ring as the nodes tell it. Nothing in it is remembered from an earlier pass.</summary>
internal sealed record ObservedCluster
{
    public ImmutableArray<ObservedChild> Children { get; init; } = [];

    /// <summary>One for each zone that has one.</summary>
    public ImmutableArray<ObservedWorkload> Workloads { get; init; } = [];

    /// <summary>One for each replica that the workloads should have, whether it is there or not; sorted by zone and ordinal.</summary>
    public ImmutableArray<ObservedNode> Nodes { get; init; } = [];

    /// <summary>Volumes of this cluster, those that no node uses any more too.</summary>
    public ImmutableArray<ObservedVolume> Volumes { get; init; } = [];

    /// <summary>How many nodes the disruption budget lets others take down at once; null where there is no budget.</summary>
    public int? DisruptionsAllowed { get; init; }

    /// <summary>Variables that the ConfigMap of the nodes' settings has.</summary>
    public ImmutableHashSet<string> Settings { get; init; } = [];

    /// <summary>Null while no node that answers is in a ring of this cluster.</summary>
    public ObservedRing? Ring { get; init; }
}

/// <summary>A node's volume, by the node's name.</summary>
internal sealed record ObservedVolume(string NodeName, string Uid)
{
    /// <summary>Its node has left the ring, and what is on it is of no use.</summary>
    public bool IsReleased { get; init; }

    /// <summary>A pod or process of that name is there.</summary>
    public bool IsUsed { get; init; }
}

/// <summary>How an object that the cluster needs differs from what it should be.</summary>
internal enum ChildState
{
    Current,
    Missing,
    Drifted,

    /// <summary>An object of that name belongs to somebody else.</summary>
    Foreign,
}

/// <summary>An object that the cluster needs.</summary>
internal sealed record ObservedChild(string Kind, string Name, ChildState State)
{
    /// <summary>Of the object as it was seen; null if it was not there.</summary>
    public string? ResourceVersion { get; init; }
}

/// <summary>A StatefulSet, or local mode's counterpart.</summary>
internal sealed record ObservedWorkload(string Zone, string Name, int Replicas)
{
    public string? StorageSize { get; init; }

    public string? StorageClass { get; init; }

    public string? Image { get; init; }
}

/// <summary>A replica: its pod or process, and what it answered.</summary>
internal sealed record ObservedNode(string Name, string Zone, int Ordinal)
{
    public bool Running { get; init; }

    public bool Ready { get; init; }

    /// <summary>Of its pod; what is deleted is this one and no other of the same name. Empty if it has none.</summary>
    public string Uid { get; init; } = "";

    /// <summary>It runs with another image, settings or template than it should.</summary>
    public bool IsOutdated { get; init; }

    /// <summary>Its pod waits for a volume that is not there: it was made for one that has gone since.</summary>
    public bool IsVolumeMissing { get; init; }

    /// <summary>It does not run, and will not by itself: it ends whenever it starts, or cannot be started. One that ended once and is being started again is not broken.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Since when its pod has waited for a machine, a volume or an image; null if it does not.</summary>
    public DateTimeOffset? PendingSince { get; init; }

    /// <summary>It was started as it should be now and is not ready yet: whether what it was started with is any good is not known.</summary>
    public bool IsOnTrial { get; init; }

    /// <summary>Why it does not run, where that is known.</summary>
    public string? Problem { get; init; }

    public string AdminAddress { get; init; } = "";

    public string PeerAddress { get; init; } = "";

    /// <summary>What its admin port said; null if it did not answer.</summary>
    public NodeAnswer? Answer { get; init; }
}

/// <summary>A node about itself. <paramref name="ClusterId"/> is empty before it is in a ring.</summary>
internal sealed record NodeAnswer(string Id, string ClusterId, string Version)
{
    public long DataBytes { get; init; }

    public long FreeBytes { get; init; }

    public TimeSpan Uptime { get; init; }

    /// <summary>Of the certificate that it has in use; null where it has none.</summary>
    public ObservedCertificate? Certificate { get; init; }

    /// <summary>It was a member and has left: it serves nothing and joins no ring again.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>Partitions that it holds data of.</summary>
    public int HeldPartitions { get; init; }

    /// <summary>Partitions whose data there is damaged or gone.</summary>
    public ImmutableArray<int> Damaged { get; init; } = [];
}

/// <summary>From when until when a node's certificate is good.</summary>
internal sealed record ObservedCertificate(DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>The state of a member, as in the cluster document.</summary>
internal enum MemberState
{
    Unknown,
    Joining,
    Valid,
    Leaving,
    Exiting,
    Down,
}

internal sealed record ObservedMember(string Id, string Name, MemberState State, int Partitions, int NextPartitions, bool Up)
{
    /// <summary>How many of the other members that were asked see it up.</summary>
    public int SeenUpBy { get; init; }

    /// <summary>How many of the other members that were asked do not see it up.</summary>
    public int SeenDownBy { get; init; }

    /// <summary>For how long each of those has seen it up, at least; the most there is where nobody else was asked.</summary>
    public TimeSpan SeenUpFor { get; init; } = TimeSpan.MaxValue;
}

/// <summary>A membership change that waits for a commit.</summary>
internal sealed record ObservedStaged(bool IsJoin, string NodeId, string NodeName)
{
    /// <summary>The dead member that the node replaces, or that is removed; null where nobody is given up.</summary>
    public string? LostId { get; init; }
}

/// <summary>The newest cluster document that a node told of.</summary>
internal sealed record ObservedRing
{
    public required long Version { get; init; }

    public required int RingSize { get; init; }

    public ImmutableArray<ObservedMember> Members { get; init; } = [];

    public ImmutableArray<ObservedStaged> Staged { get; init; } = [];

    /// <summary>Index into <see cref="Members"/> for each partition.</summary>
    public ImmutableArray<int> Owners { get; init; } = [];

    /// <summary>Members that told what they see.</summary>
    public int Views { get; init; }

    /// <summary>What bucket types ask of their preference lists; none if that could not be asked.</summary>
    public ImmutableArray<GateQuorum> Quorums { get; init; } = [];

    /// <summary>Each n_val of a bucket type, active or not, or of a bucket; none if that could not be asked.</summary>
    public ImmutableArray<int> NVals { get; init; } = [];

    /// <summary>Members that told which hints they hold.</summary>
    public int HintViews { get; init; }

    /// <summary>Hinted partitions that wait to be handed back.</summary>
    public int PendingHints { get; init; }

    /// <summary>Of what is staged; empty if nothing is.</summary>
    public string PlanId { get; init; } = "";

    public int PlannedTransfers { get; init; }

    public ImmutableArray<string> PlanWarnings { get; init; } = [];

    /// <summary>Partitions that move to another owner, or are rebuilt by one that took them over without their data.</summary>
    public int PendingTransfers { get; init; }

    /// <summary>Of those, the ones that are rebuilt by an owner that has not their data.</summary>
    public ImmutableHashSet<int> Rebuilding { get; init; } = [];

    /// <summary>Partitions that their owner has not the data of: damaged there or gone, or still being rebuilt.</summary>
    public ImmutableHashSet<int> Missing { get; init; } = [];

    /// <summary>Every member that was asked says that all that are up hold this version.</summary>
    public bool Converged { get; init; }

    /// <summary>Objects that running transfers have sent: grows while they move.</summary>
    public long TransferredObjects { get; init; }

    /// <summary>Of the transfer, hints among them, that has been without progress for longest.</summary>
    public TimeSpan LongestStall { get; init; }

    public string LastTransferError { get; init; } = "";

    public ObservedMember? MemberById(string id) => Members.FirstOrDefault(member => member.Id == id);

    public ObservedMember? MemberByName(string name) => Members.FirstOrDefault(member => member.Name == name);
}
