using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// What a causal data type holds: events that are in force, by where they belong (a "dot store", see <see cref="Dotted"/>). Immutable. A join keeps each event that both
/// have, or that one has and the other's clock does not cover, and nothing else; that is why it is commutative, associative and idempotent, however stores nest.
/// </summary>
public abstract class DotStore
{
    /// <summary>Whether no event is in force.</summary>
    public abstract bool IsEmpty { get; }

    internal abstract DotStore Join(DotStore other, VersionVector mine, VersionVector theirs);

    /// <summary>Less every event that the clock covers.</summary>
    internal abstract DotStore Without(VersionVector seen);

    /// <summary>A store of a kind without events.</summary>
    internal static DotStore Empty(DataTypeKind kind) => kind switch
    {
        DataTypeKind.Counter => CounterStore.None,
        DataTypeKind.Register => RegisterStore.None,
        DataTypeKind.Flag => FlagStore.None,
        DataTypeKind.Set => SetStore.None,
        DataTypeKind.Map => MapStore.None,
        _ => throw new ArgumentException($"{kind} is no kind of a field", nameof(kind)),
    };
}
