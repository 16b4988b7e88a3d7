using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>
/// One attempt to have a document decided as the version after the current one: the proposer of single-decree Paxos over the voting members of the current
/// version, as a step core. Feed it replies; do what it says; a final step (Decided, Behind, Outbid, Unreachable) ends the attempt and is
/// repeated to whatever comes later. Not for several threads.
/// </summary>
public sealed class DocumentProposer
{
    private static readonly ProposerStep Waiting = new ProposerStep.Wait();

    private readonly ClusterDocument _own;
    private readonly HashSet<NodeId> _yes = [];
    private readonly HashSet<NodeId> _no = [];
    private readonly HashSet<NodeId> _taught = [];
    private ClusterDocument _value;
    private Ballot _valueBallot = Ballot.Zero;
    private Ballot _highest;
    private Phase _phase = Phase.Prepare;
    private ProposerStep? _final;

    /// <param name="current">The newest decided document that this node holds: its voters vote.</param>
    /// <param name="proposed">What is wanted as the next version.</param>
    /// <param name="ballot">A ballot of this node, above every one it has met for the version; see <see cref="NextBallot"/>.</param>
    public DocumentProposer(ClusterDocument current, ClusterDocument proposed, Ballot ballot)
    {
        if (proposed.Version != current.Version + 1 || proposed.ClusterId != current.ClusterId)
        {
            throw new ArgumentException($"version {proposed.Version} of cluster {proposed.ClusterId} does not follow {current.Version} of {current.ClusterId}", nameof(proposed));
        }

        if (ballot == Ballot.Zero)
        {
            throw new ArgumentException("the zero ballot is no ballot", nameof(ballot));
        }

        _own = proposed;
        _value = proposed;
        _highest = ballot;
        Ballot = ballot;
        Voters = [.. current.Members.Where(m => m.HasVote).Select(m => m.Id)];
    }

    private enum Phase
    {
        Prepare,
        Accept,
    }

    public Ballot Ballot { get; }

    public long Version => _own.Version;

    /// <summary>Whom to send each phase's message to.</summary>
    public ImmutableArray<NodeId> Voters { get; }

    public int Majority => (Voters.Length / 2) + 1;

    /// <summary>A ballot of <paramref name="node"/> above <paramref name="highest"/>.</summary>
    public static Ballot NextBallot(Ballot highest, NodeId node) => new(highest.Round + 1, node);

    public ProposerStep Start() => new ProposerStep.SendPrepare(Version, Ballot);

    /// <summary>Takes a voter's reply to phase one; null where none came and none is awaited any more.</summary>
    public ProposerStep OnPrepareReply(NodeId from, AcceptorReply? reply) => Take(Phase.Prepare, from, reply);

    /// <summary>Takes a voter's reply to phase two; null where none came and none is awaited any more.</summary>
    public ProposerStep OnAcceptReply(NodeId from, AcceptorReply? reply) => Take(Phase.Accept, from, reply);

    private ProposerStep Take(Phase phase, NodeId from, AcceptorReply? reply)
    {
        if (_final is not null)
        {
            return _final;
        }

        if (reply is AcceptorReply.AlreadyDecided decided)
        {
            return _final = new ProposerStep.Behind(decided.Document);
        }

        // A late answer to phase one counts no more in phase two; nor does what is not a voter's.
        if (phase != _phase || !Voters.Contains(from) || _yes.Contains(from))
        {
            return Waiting;
        }

        switch (reply)
        {
            case AcceptorReply.Promised promised when phase == Phase.Prepare:
                return Promise(from, promised);
            case AcceptorReply.Accepted when phase == Phase.Accept:
                _yes.Add(from);
                return _yes.Count < Majority ? Waiting : _final = new ProposerStep.Decided(_value, IsOwn: ReferenceEquals(_value, _own));
            case AcceptorReply.Rejected rejected:
                _highest = rejected.Highest > _highest ? rejected.Highest : _highest;
                return Refuse(from);
            case AcceptorReply.Behind behind when _taught.Add(from):
                // Once a phase: a voter that does not learn is as good as silent.
                return new ProposerStep.Teach(from, behind.HeldVersion);
            default:
                return Refuse(from);
        }
    }

    private ProposerStep Promise(NodeId from, AcceptorReply.Promised promised)
    {
        _yes.Add(from);
        if (promised.AcceptedDocument is { } accepted && promised.AcceptedBallot > _valueBallot)
        {
            // It may be decided already, so it is the only value that may be proposed from here.
            _value = accepted;
            _valueBallot = promised.AcceptedBallot;
        }

        if (_yes.Count < Majority)
        {
            return Waiting;
        }

        _phase = Phase.Accept;
        _yes.Clear();
        _no.Clear();
        _taught.Clear();
        return new ProposerStep.SendAccept(Version, Ballot, _value);
    }

    private ProposerStep Refuse(NodeId from)
    {
        _no.Add(from);
        if (Voters.Length - _no.Count >= Majority)
        {
            return Waiting;
        }

        return _final = _highest > Ballot ? new ProposerStep.Outbid(_highest) : new ProposerStep.Unreachable(_yes.Count, Majority);
    }
}
