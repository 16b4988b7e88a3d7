using Kv.Core.Objects;

namespace Kv.Cluster.Hooks;

/// <summary>A node that has none: a bucket that names one takes no writes, since nobody can say what the hook would.</summary>
public sealed class NoCommitHooks : ICommitHooks
{
    public static NoCommitHooks Instance { get; } = new();

    private NoCommitHooks()
    {
    }

    public static string Unknown(string hook) => $"there is no hook named {hook}: the node's setting `hooks` does not give it an address";

    public ValueTask<PreCommitAnswer> AskAsync(string hook, ObjectKey key, KvObject proposed, TimeSpan atMost) =>
        ValueTask.FromResult<PreCommitAnswer>(new PreCommitAnswer.Failed(Unknown(hook)));

    public void Tell(string hook, ObjectKey key, KvObject written)
    {
    }
}
