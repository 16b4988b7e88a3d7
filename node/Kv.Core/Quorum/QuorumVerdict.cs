namespace Kv.Core.Quorum;

/// <summary>What a quorum says after each reply.</summary>
public enum QuorumVerdict
{
    /// <summary>Not decided; more replies may come.</summary>
    Wait = 0,

    /// <summary>Met: answer the client. For a read, with what the answers merge to, which may be "not found".</summary>
    Met = 1,

    /// <summary>Cannot be met by any replies still to come; the quorum's failure says why.</summary>
    Unreachable = 2,
}
