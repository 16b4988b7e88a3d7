namespace Kv.Core.Quorum;

/// <summary>Why a request cannot be tried or did not meet its quorums. Options are named as Riak names them: `r`, `pr`, `w`, `pw`, `dw`, `node_confirms`.</summary>
public abstract record QuorumFailure
{
    private QuorumFailure()
    {
    }

    /// <summary>The request's n_val is not from 1 to the bucket's, or a quorum is above the n_val in force, which is <paramref name="NVal"/>.</summary>
    public sealed record NValViolation(int NVal) : QuorumFailure;

    /// <summary>An option has no meaning: a word that stands for a property which itself is `default`.</summary>
    public sealed record ValueViolation(string Option) : QuorumFailure;

    /// <summary>Nobody is there to ask.</summary>
    public sealed record AllNodesDown : QuorumFailure;

    /// <summary>The preference list is shorter than the quorum.</summary>
    public sealed record InsufficientVnodes(int Got, int Required) : QuorumFailure;

    /// <summary>An option's quorum is not met, before or after replicas were asked.</summary>
    public sealed record Unsatisfied(string Option, int Required, int Got) : QuorumFailure;

    /// <summary>The coordinating vnode did not store the write; without its durable copy no write is acknowledged.</summary>
    public sealed record CoordinatorFailed : QuorumFailure;

    /// <summary>Replies were missing when the deadline passed.</summary>
    public sealed record Timeout : QuorumFailure;

    /// <summary>A quorum was missed, and a replica refused for overload: try again later.</summary>
    public sealed record Overload : QuorumFailure;
}
