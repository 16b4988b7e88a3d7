using System.Collections.Immutable;
using System.Numerics;
using System.Text;
using Kv.Core.DataTypes;

namespace Kv.Client;

/// <summary>
/// Gathers what an update does to a map: all of it or nothing is done. What is said twice of a field is done in that order. A field that is both removed and updated is there afterwards, as the
/// update alone makes it.
/// </summary>
public sealed class MapChange
{
    private readonly ImmutableArray<KeyValuePair<FieldName, DataTypeOperation>>.Builder _updates = ImmutableArray.CreateBuilder<KeyValuePair<FieldName, DataTypeOperation>>();
    private readonly ImmutableArray<FieldName>.Builder _removes = ImmutableArray.CreateBuilder<FieldName>();

    /// <summary>Of a counter; negative to count down.</summary>
    public MapChange Increment(string counter, BigInteger amount) => Update(counter, DataTypeChange.Increment(amount));

    /// <summary>Members to a set.</summary>
    public MapChange Add(string set, params string[] members) => Update(set, DataTypeChange.Add(members));

    /// <summary>Members from a set.</summary>
    public MapChange Remove(string set, params string[] members) => Update(set, DataTypeChange.Remove(members));

    /// <summary>A register's value.</summary>
    public MapChange Assign(string register, string value) => Assign(register, Encoding.UTF8.GetBytes(value));

    /// <summary>A register's value.</summary>
    public MapChange Assign(string register, ReadOnlyMemory<byte> value) => Update(register, new DataTypeOperation.Assign(value));

    public MapChange Enable(string flag) => Update(flag, new DataTypeOperation.SetFlag(true));

    public MapChange Disable(string flag) => Update(flag, new DataTypeOperation.SetFlag(false));

    /// <summary>Fields of a map within this one.</summary>
    public MapChange Map(string map, Action<MapChange> change) => Update(map, DataTypeChange.Map(change));

    /// <summary>A field whose name may be any bytes.</summary>
    public MapChange Update(ReadOnlyMemory<byte> field, DataTypeOperation operation)
    {
        _updates.Add(KeyValuePair.Create(new FieldName(field, operation.Kind), operation));
        return this;
    }

    /// <summary>A field and all that is in it.</summary>
    public MapChange RemoveField(string field, DataTypeKind kind) => RemoveField(new FieldName(Encoding.UTF8.GetBytes(field), kind));

    /// <summary>A field, whose name may be any bytes, and all that is in it.</summary>
    public MapChange RemoveField(FieldName field)
    {
        _removes.Add(field);
        return this;
    }

    internal DataTypeOperation Build() => new DataTypeOperation.ChangeMap(_updates.ToImmutable(), _removes.ToImmutable());

    private MapChange Update(string field, DataTypeOperation operation) => Update(Encoding.UTF8.GetBytes(field), operation);
}
