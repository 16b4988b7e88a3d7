namespace Kv.Core.DataTypes;

/// <summary>
/// The state of a data type (a CRDT): what replicas hold, and what comes of two states that grew apart. Immutable. Merging is commutative, associative and
/// idempotent, and never loses what an operation added unless another had seen and removed it (reference 5.2).
/// </summary>
public abstract class DataType
{
    public abstract DataTypeKind Kind { get; }

    /// <summary>A state to which nothing was done.</summary>
    /// <param name="precision">Of a HyperLogLog; see <see cref="HyperLogLog.Precision"/>.</param>
    public static DataType Empty(DataTypeKind kind, int precision) => kind switch
    {
        DataTypeKind.GSet => GrowOnlySet.None,
        DataTypeKind.HyperLogLog => HyperLogLog.Empty(precision),
        DataTypeKind.Counter or DataTypeKind.Set or DataTypeKind.Map => CausalDataType.None(kind),
        _ => throw new ArgumentException($"{kind} is a field of maps, no type of its own", nameof(kind)),
    };

    /// <summary>Of two states of one kind the one in which everything of both is.</summary>
    public abstract DataType Merge(DataType other);

    /// <summary>The operation under a new event; null, with the problem, where it cannot be carried out, and then nothing of it is.</summary>
    public DataType? Apply(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem)
    {
        problem = operation.Kind == Kind ? null : new DataTypeProblem.OtherKind(operation.Kind, Kind);
        return problem is null ? Change(operation, at, out problem) : null;
    }

    private protected abstract DataType? Change(DataTypeOperation operation, DataTypeEvent at, out DataTypeProblem? problem);
}
