using Kv.Cluster.Hooks;
using Kv.Core.Objects;

namespace Kv.TestKit;

/// <summary>Commit hooks that answer as the story says, and remember what they were shown. There is none until it says so.</summary>
public sealed class StoryHooks : ICommitHooks
{
    /// <summary>By the hook's name and what it is asked about.</summary>
    public Func<string, KvObject, PreCommitAnswer> Answer { get; set; } = static (hook, _) => new PreCommitAnswer.Failed(NoCommitHooks.Unknown(hook));

    public List<(string Hook, ObjectKey Key, KvObject Object)> Asked { get; } = [];

    public List<(string Hook, ObjectKey Key, KvObject Object)> Told { get; } = [];

    /// <summary>What goes on while a hook is asked.</summary>
    public Func<Task>? Meanwhile { get; set; }

    public async ValueTask<PreCommitAnswer> AskAsync(string hook, ObjectKey key, KvObject proposed, TimeSpan atMost)
    {
        Asked.Add((hook, key, proposed));
        if (Meanwhile is { } meanwhile)
        {
            await meanwhile();
        }

        return Answer(hook, proposed);
    }

    public void Tell(string hook, ObjectKey key, KvObject written) => Told.Add((hook, key, written));
}
