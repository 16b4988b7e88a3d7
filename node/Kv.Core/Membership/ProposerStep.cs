using Kv.Core.Rings;

namespace Kv.Core.Membership;

/// <summary>What a proposer wants done next.</summary>
public abstract record ProposerStep
{
    private ProposerStep()
    {
    }

    /// <summary>Nothing until the next reply.</summary>
    public sealed record Wait : ProposerStep;

    /// <summary>Phase one to every voter, this node among them.</summary>
    public sealed record SendPrepare(long Version, Ballot Ballot) : ProposerStep;

    /// <summary>Phase two to every voter, this node among them.</summary>
    public sealed record SendAccept(long Version, Ballot Ballot, ClusterDocument Document) : ProposerStep;

    /// <summary>
    /// A majority accepted <paramref name="Document"/>: it is the version, for ever. <paramref name="IsOwn"/> is false where an earlier proposal had to be
    /// finished first; the own change is then proposed anew on top of it.
    /// </summary>
    public sealed record Decided(ClusterDocument Document, bool IsOwn) : ProposerStep;

    /// <summary>The version was decided before: here is the newest document met. Learn it, and propose anew on top of it.</summary>
    public sealed record Behind(ClusterDocument Document) : ProposerStep;

    /// <summary>Somebody else's higher ballot is under way. Try again later with a ballot above <paramref name="Highest"/>; the own value may or may not be decided by then.</summary>
    public sealed record Outbid(Ballot Highest) : ProposerStep;

    /// <summary>
    /// Too few voters answered: <paramref name="Heard"/> where <paramref name="Needed"/> are a majority. The value may be decided all the same if phase two
    /// had begun: only a later ballot tells.
    /// </summary>
    public sealed record Unreachable(int Heard, int Needed) : ProposerStep;

    /// <summary>Voter <paramref name="Node"/> holds an old document, <paramref name="HeldVersion"/> (0: none): send it the current one, then this phase's message again.</summary>
    public sealed record Teach(NodeId Node, long HeldVersion) : ProposerStep;
}
