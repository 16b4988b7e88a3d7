using Kv.Core.Objects;

namespace Kv.Cluster.Hooks;

/// <summary>The way to commit hooks, by the names that the bucket properties `precommit` and `postcommit` have. Safe from any thread. Throws nothing.</summary>
public interface ICommitHooks
{
    /// <summary>
    /// Asks a hook about a write that is not done yet: <paramref name="proposed"/> has the one sibling that is to be written, without time and tag, under what its writer has seen. Ends by the hook's own
    /// timeout, and <paramref name="atMost"/>.
    /// </summary>
    ValueTask<PreCommitAnswer> AskAsync(string hook, ObjectKey key, KvObject proposed, TimeSpan atMost);

    /// <summary>Tells a hook of a write that met its quorums: later, from a queue that has a bound. Never waits.</summary>
    void Tell(string hook, ObjectKey key, KvObject written);
}
