using System.Diagnostics.CodeAnalysis;

namespace Kv.Cluster.Membership;

/// <summary>Either what was asked for, or the refusal.</summary>
public readonly struct AdminResult<T>
    where T : class
{
    private AdminResult(T? value, AdminRefusal? refusal)
    {
        Value = value;
        Refusal = refusal;
    }

    public T? Value { get; }

    public AdminRefusal? Refusal { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsOk => Refusal is null;

    public static implicit operator AdminResult<T>(T value) => new(value, null);

    public static implicit operator AdminResult<T>(AdminRefusal refusal) => new(null, refusal);
}
