namespace Kv.Core.Membership;

/// <summary>What an acceptor says.</summary>
public abstract record AcceptorReply
{
    private AcceptorReply()
    {
    }

    /// <summary>It will take part in no lower ballot; with what it had accepted for the version, if anything.</summary>
    public sealed record Promised(Ballot AcceptedBallot, ClusterDocument? AcceptedDocument) : AcceptorReply;

    public sealed record Accepted : AcceptorReply;

    /// <summary>It has promised <paramref name="Highest"/>, which is not below the ballot asked for.</summary>
    public sealed record Rejected(Ballot Highest) : AcceptorReply;

    /// <summary>The version is decided: this document or one before it. The asker learns it and begins anew.</summary>
    public sealed record AlreadyDecided(ClusterDocument Document) : AcceptorReply;

    /// <summary>The acceptor holds only <paramref name="HeldVersion"/> (0: none) and must learn the version before the one asked for.</summary>
    public sealed record Behind(long HeldVersion) : AcceptorReply;

    /// <summary>It belongs to another cluster.</summary>
    public sealed record OtherCluster(Guid ClusterId) : AcceptorReply;
}
