namespace Kv.Chaos.Faults;

/// <summary>What can be done to a ring. The names are those of `--only`.</summary>
internal enum FaultKind
{
    /// <summary>kill -9 of one node, which stays down for a while.</summary>
    KillOne,

    /// <summary>kill -9 of two at once.</summary>
    KillSeveral,

    /// <summary>kill -9 of all, and up again at once.</summary>
    KillAll,

    /// <summary>SIGSTOP, and SIGCONT later.</summary>
    Pause,

    /// <summary>The nodes in two parts that do not hear each other; clients reach both.</summary>
    Split,

    /// <summary>What one node sends does not reach some others, while it hears them.</summary>
    Deaf,

    /// <summary>A node that neither nodes nor clients reach.</summary>
    Isolate,

    /// <summary>A link at a modem's rate.</summary>
    SlowLink,

    /// <summary>A link that loses packets.</summary>
    LossyLink,

    /// <summary>A disk so full that a node takes no more writes.</summary>
    NearlyFullDisk,

    /// <summary>A disk without a free byte.</summary>
    FullDisk,

    /// <summary>A wall clock that is off for a while.</summary>
    ClockJump,

    /// <summary>SIGTERM and a start, one node after another.</summary>
    RollingRestart,

    /// <summary>New nodes join, or members leave, in the background of the faults that follow.</summary>
    Scale,

    /// <summary>A volume lost whole: the node comes back empty, outside the ring, and takes its old place over by a replace order, in the background too.</summary>
    LoseVolume,

    /// <summary>A bit of a durable file turned over while its node is stopped: it is to be found and told with the file, and the partition rebuilt by an order, or the node replaced where it does not start any more, in the background too.</summary>
    BitRot,
}
