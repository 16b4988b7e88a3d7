using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// A member's part in deciding the next version of the cluster document: the acceptor of single-decree Paxos (Lamport, Paxos Made Simple, 2.2), one instance
/// per version, as a pure step function. The caller keeps the state, persists it before it replies, and lets one step run at a time.
/// </summary>
/// <remarks>
/// An acceptor votes only on the version after the document it holds. That is what makes majorities of version v decide v + 1: whoever votes on v + 1 knows who
/// the members of v are, and a proposer that is behind is told the decided document in place of a vote.
/// </remarks>
public static class DocumentAcceptor
{
    /// <summary>Phase one: promises to take part in no ballot below <paramref name="ballot"/>, nor in that one again.</summary>
    /// <param name="state">What was persisted last; <see cref="AcceptorState.Fresh"/> at first.</param>
    /// <param name="held">The decided document that this node holds; null before it is in a cluster.</param>
    public static AcceptorStep Prepare(AcceptorState state, ClusterDocument? held, Guid clusterId, long version, Ballot ballot)
    {
        if (WhyNoVote(state, held, clusterId, version) is { } no)
        {
            return new AcceptorStep(state, MustPersist: false, no);
        }

        var current = For(state, clusterId, version);
        if (ballot <= current.Promised)
        {
            // Not even the same ballot twice: a proposer that crashed and reuses its ballot cannot gather two majorities for it.
            return new AcceptorStep(state, MustPersist: false, new AcceptorReply.Rejected(current.Promised));
        }

        return new AcceptorStep(
            current with { Promised = ballot },
            MustPersist: true,
            new AcceptorReply.Promised(current.AcceptedBallot, current.Accepted));
    }

    /// <summary>Phase two: accepts unless a higher ballot was promised.</summary>
    public static AcceptorStep Accept(AcceptorState state, ClusterDocument? held, Guid clusterId, long version, Ballot ballot, ClusterDocument document)
    {
        if (WhyNoVote(state, held, clusterId, version) is { } no)
        {
            return new AcceptorStep(state, MustPersist: false, no);
        }

        var current = For(state, clusterId, version);
        if (ballot < current.Promised || ballot == Ballot.Zero)
        {
            return new AcceptorStep(state, MustPersist: false, new AcceptorReply.Rejected(current.Promised));
        }

        return current.AcceptedBallot == ballot
            ? new AcceptorStep(state, MustPersist: false, new AcceptorReply.Accepted())
            : new AcceptorStep(new AcceptorState(version, ballot, ballot, document) { ClusterId = clusterId }, MustPersist: true, new AcceptorReply.Accepted());
    }

    /// <summary>
    /// What is to be persisted in place of <paramref name="state"/> where that has a value accepted that is decided by now and that an earlier program could not read, though it can read what is
    /// <paramref name="held"/>; null where there is none. It is the state of an acceptor that was asked for the version after what is held, and so votes on none before.
    /// </summary>
    public static AcceptorState? Forget(AcceptorState state, ClusterDocument held)
    {
        var isDecided = IsOfAnother(state, held.ClusterId) || state.Version <= held.Version;
        return isDecided && ClusterDocumentCodec.VersionOf(state.Accepted) > ClusterDocumentCodec.VersionOf(held)
            ? Beginning(held)
            : null;
    }

    /// <summary>
    /// What an acceptor begins with, persisted before the first document that its node holds is: so a node that holds a document and has no such state has lost it.
    /// </summary>
    public static AcceptorState Beginning(ClusterDocument held) => new(held.Version + 1, Ballot.Zero, Ballot.Zero, null) { ClusterId = held.ClusterId };

    /// <summary>
    /// What is to be persisted by an acceptor whose state is lost though its node holds a document. It may have promised and accepted what it knows nothing of, but only for the version after the one that is held,
    /// since it votes on no other: that one it leaves to the others, and votes again when it has learned what they decided. The only member has nobody who could have been told of its vote, and a member without a
    /// vote gave none.
    /// </summary>
    public static AcceptorState AfterLoss(ClusterDocument held, NodeId self) =>
        held.Members.Length > 1 && held.FindMember(self) is { HasVote: true } ? Beginning(held) with { Version = held.Version + 2 } : Beginning(held);

    private static AcceptorReply? WhyNoVote(AcceptorState state, ClusterDocument? held, Guid clusterId, long version)
    {
        if (held is null)
        {
            return new AcceptorReply.Behind(0);
        }

        if (held.ClusterId != clusterId)
        {
            return new AcceptorReply.OtherCluster(held.ClusterId);
        }

        if (version <= held.Version)
        {
            return new AcceptorReply.AlreadyDecided(held);
        }

        // A state of a later version than the one after what it holds means that it held more before and lost that, or lost its votes: it learns before it votes.
        return version > held.Version + 1 || (version < state.Version && !IsOfAnother(state, clusterId)) ? new AcceptorReply.Behind(held.Version) : null;
    }

    /// <summary>Votes in a cluster that the node has left say nothing in this one, whether a value was accepted there or only a ballot promised.</summary>
    private static bool IsOfAnother(AcceptorState state, Guid clusterId) =>
        state.ClusterId != Guid.Empty ? state.ClusterId != clusterId : state.Accepted is { } accepted && accepted.ClusterId != clusterId;

    private static AcceptorState For(AcceptorState state, Guid clusterId, long version) =>
        state.Version == version && !IsOfAnother(state, clusterId)
            ? state with { ClusterId = clusterId }
            : new AcceptorState(version, Ballot.Zero, Ballot.Zero, null) { ClusterId = clusterId };
}
