namespace Kv.Core.Membership;

/// <summary>What a change does to a document.</summary>
public abstract record DocumentChangeResult
{
    private DocumentChangeResult()
    {
    }

    /// <summary>The document after the change, one version on.</summary>
    public sealed record Changed(ClusterDocument Document) : DocumentChangeResult;

    /// <summary>The document already has the change's effect.</summary>
    public sealed record Unchanged : DocumentChangeResult;

    /// <summary>The change may not be made. <paramref name="Reason"/> is a stable word (Riak's where it has one), <paramref name="Message"/> says it to a person.</summary>
    public sealed record Refused(string Reason, string Message) : DocumentChangeResult;
}
