namespace Kv.Core.Membership;

/// <summary>
/// An acceptor's answer: where <paramref name="MustPersist"/>, <paramref name="State"/> goes to disk first and only then <paramref name="Reply"/> to the asker.
/// </summary>
public sealed record AcceptorStep(AcceptorState State, bool MustPersist, AcceptorReply Reply);
