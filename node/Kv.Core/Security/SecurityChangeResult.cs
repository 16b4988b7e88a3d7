namespace Kv.Core.Security;

/// <summary>What a change does to a <see cref="SecurityState"/>.</summary>
public abstract record SecurityChangeResult
{
    private SecurityChangeResult()
    {
    }

    /// <summary>The state after it; the same one where there was nothing to change.</summary>
    public sealed record Done(SecurityState State) : SecurityChangeResult;

    /// <summary><paramref name="Reason"/> is Riak's word, <paramref name="Message"/> its sentence.</summary>
    public sealed record Refused(string Reason, string Message) : SecurityChangeResult;
}
