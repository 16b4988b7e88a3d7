namespace Kv.Core.Membership;

/// <summary>
/// What an acceptor must remember about the version it votes on: the highest ballot it promised, and the value it accepted last with that value's
/// ballot. Persisted before the reply that rests on it is sent. State of a version that is decided has served.
/// </summary>
public sealed record AcceptorState(long Version, Ballot Promised, Ballot AcceptedBallot, ClusterDocument? Accepted)
{
    /// <summary>The cluster it voted in; empty before the first vote, and where an earlier program wrote the state.</summary>
    public Guid ClusterId { get; init; }

    /// <summary>An acceptor that has never voted.</summary>
    public static AcceptorState Fresh { get; } = new(0, Ballot.Zero, Ballot.Zero, null);
}
