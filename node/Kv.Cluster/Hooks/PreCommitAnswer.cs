using Kv.Core.Objects;

namespace Kv.Cluster.Hooks;

/// <summary>What a hook made of a write.</summary>
public abstract record PreCommitAnswer
{
    private PreCommitAnswer()
    {
    }

    /// <summary>As it is. Also of a hook that failed and is to be ignored then.</summary>
    public sealed record Accepted : PreCommitAnswer;

    /// <summary>With this value and metadata in place of what was sent.</summary>
    public sealed record Replaced(Sibling Content) : PreCommitAnswer;

    /// <summary>Not at all. <paramref name="Message"/> is for the writer; empty where the hook gave none.</summary>
    public sealed record Refused(string Message) : PreCommitAnswer;

    /// <summary>There was no answer, or none that can be used; <paramref name="Reason"/> names the hook.</summary>
    public sealed record Failed(string Reason) : PreCommitAnswer;

    /// <summary>Too many are asked at once.</summary>
    public sealed record Overloaded : PreCommitAnswer;
}
