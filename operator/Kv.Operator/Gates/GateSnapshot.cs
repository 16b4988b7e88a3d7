using System.Collections.Immutable;

namespace Kv.Operator.Gates;

/// <summary>All that the gate looks at: the members as their peers see them, the ring, what bucket types need, and the rules of the cluster.</summary>
internal sealed record GateSnapshot
{
    /// <summary>Every member of the ring.</summary>
    public ImmutableArray<GateMember> Members { get; init; } = [];

    /// <summary>Index into <see cref="Members"/> for each partition.</summary>
    public ImmutableArray<int> Owners { get; init; } = [];

    /// <summary>What requests need of a preference list, for each n_val that bucket types or buckets have.</summary>
    public ImmutableArray<GateQuorum> Quorums { get; init; } = [];

    /// <summary>How many members told what they see.</summary>
    public int Views { get; init; }

    public bool Converged { get; init; }

    public int PendingTransfers { get; init; }

    /// <summary>How many members told which hints they hold.</summary>
    public int HintViews { get; init; }

    /// <summary>Hinted partitions that stand-ins have yet to hand back.</summary>
    public int PendingHints { get; init; }

    /// <summary>Membership changes that wait for a commit.</summary>
    public int Staged { get; init; }

    public GatePolicy Policy { get; init; } = new();
}

/// <summary>A member as its peers see it: what it thinks of itself is no witness.</summary>
internal sealed record GateMember(string Name)
{
    public bool IsValid { get; init; } = true;

    /// <summary>Its pod or process is ready, and not about to end.</summary>
    public bool IsReady { get; init; } = true;

    /// <summary>Every peer that was heard sees it up.</summary>
    public bool IsUp { get; init; } = true;

    /// <summary>No peer that was heard sees it up, or it cannot run at all: taking it down takes nothing away.</summary>
    public bool IsDown { get; init; }

    /// <summary>It was started as it should be now and is not ready yet.</summary>
    public bool IsOnTrial { get; init; }

    /// <summary>How long it has run, and every peer that was heard has seen it up, at least.</summary>
    public TimeSpan UpFor { get; init; } = TimeSpan.MaxValue;

    /// <summary>How long ago it was started.</summary>
    public TimeSpan Uptime { get; init; } = TimeSpan.MaxValue;

    /// <summary>Its disk is nearly full.</summary>
    public bool IsDiskCritical { get; init; }

    /// <summary>Partitions that it is up without, since their data there is damaged or gone.</summary>
    public int DamagedPartitions { get; init; }
}

/// <summary>A preference list of <paramref name="NVal"/> serves all requests of <paramref name="Whose"/>, a bucket type or a bucket, with this many of its owners up.</summary>
internal sealed record GateQuorum(string Whose, int NVal, int Required);

/// <summary>How careful the gate is.</summary>
internal sealed record GatePolicy
{
    /// <summary>A member counts as back only after it has been up for so long.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between the start of one member and the end of the next.</summary>
    public TimeSpan MinInterval { get; init; }

    /// <summary>Data with no second copy may be away for the time of a restart.</summary>
    public bool AllowUnavailable { get; init; }
}
