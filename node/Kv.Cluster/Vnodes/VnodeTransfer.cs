using Kv.Core.Rings;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// A vnode's data on its way to another node. From the moment it begins, a write that the vnode applies is sent to <see cref="Target"/> too, and
/// acknowledged only after the target has it: what the fold misses, the target gets by itself. A target that fails breaks the transfer, which must then
/// begin anew. Safe to read from any thread.
/// </summary>
public sealed class VnodeTransfer(NodeId target)
{
    private const int Active = 0;
    private const int CompletingState = 1;
    private const int BrokenState = 2;
    private const int EndedState = 3;

    private int state;
    private volatile bool hasMissed;
    private volatile bool standsIn;

    public NodeId Target { get; } = target;

    /// <summary>The target missed a write: the transfer is worthless and must begin anew.</summary>
    public bool IsBroken => Volatile.Read(ref state) == BrokenState;

    /// <summary>The completion is proposed and may be decided at any moment: a write that the target does not take fails here.</summary>
    public bool IsCompleting => Volatile.Read(ref state) == CompletingState;

    /// <summary>The target did not take some write: whatever the document says, it does not hold all that is here.</summary>
    public bool HasMissed => hasMissed;

    /// <summary>No write is passed on any more.</summary>
    public bool IsEnded => Volatile.Read(ref state) == EndedState;

    /// <summary>Call before the completion is proposed. False if a write was missed already: then it must not be proposed.</summary>
    public bool TryMarkCompleting() =>
        Interlocked.CompareExchange(ref state, CompletingState, Active) is Active or CompletingState;

    /// <summary>
    /// The proposal is known to have failed for good, or the transfer is given up: writes go on here alone. Only call it while completing if it is certain
    /// that the completion will never be decided.
    /// </summary>
    public void End() => Volatile.Write(ref state, EndedState);

    /// <summary>
    /// The completion is decided, and the target cannot be reached: writes go on here alone, for whoever means this node to stand in. One that is under way was meant for the owner that this
    /// node was, and fails where the target does not take it.
    /// </summary>
    public void StandIn()
    {
        standsIn = true;
        End();
    }

    /// <summary>The target did not take a write. True if the write may be acknowledged all the same, because nobody will take the target for complete.</summary>
    internal bool Break()
    {
        hasMissed = true;
        return Interlocked.CompareExchange(ref state, BrokenState, Active) != CompletingState && !standsIn;
    }

    /// <summary>The target missed a write and counts as complete, now or soon: nothing that was on its way to both is confirmed from here.</summary>
    internal bool IsShort => hasMissed && (IsCompleting || standsIn);

    internal bool PassesWritesOn => Volatile.Read(ref state) is Active or CompletingState;
}
