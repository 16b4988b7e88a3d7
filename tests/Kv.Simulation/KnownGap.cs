namespace Kv.Simulation;

/// <summary>What is known not to hold yet. The list of those that are open (<see cref="KnownGaps"/>) may only shrink.</summary>
public enum KnownGap
{
    /// <summary>Replicas that missed a write are repaired by reads alone: the convergence check reads each key first.</summary>
    NoAntiEntropy,

    /// <summary>A write that was long on its way can arrive after the reap of the tombstone that covered it: deletes are checked where tombstones are kept.</summary>
    ResurrectionAfterReap,
}
