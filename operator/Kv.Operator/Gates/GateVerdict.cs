namespace Kv.Operator.Gates;

/// <summary>Whether a node may go down now.</summary>
internal abstract record GateVerdict
{
    private GateVerdict()
    {
    }

    /// <summary>It may. <paramref name="Warning"/> says which requests fail meanwhile, where some must; null where none do.</summary>
    public sealed record Open(string? Warning = null) : GateVerdict;

    /// <summary>Not now: which is waiting and not failing. <paramref name="IsPassing"/> if nothing but time is needed.</summary>
    public sealed record Closed(string Reason, string Message, bool IsPassing) : GateVerdict;
}
