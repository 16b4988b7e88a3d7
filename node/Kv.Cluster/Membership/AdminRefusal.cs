namespace Kv.Cluster.Membership;

/// <summary>Why an administrator's wish was not carried out: <paramref name="Reason"/> is a stable word, <paramref name="Message"/> says it to a person.</summary>
public sealed record AdminRefusal(AdminRefusalKind Kind, string Reason, string Message)
{
    public override string ToString() => $"{Reason}: {Message}";
}
