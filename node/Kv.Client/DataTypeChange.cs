using System.Collections.Immutable;
using System.Numerics;
using System.Text;
using Kv.Core.DataTypes;

namespace Kv.Client;

/// <summary>What an update does to a data type. Texts are UTF-8; the records of <see cref="DataTypeOperation"/> take any bytes.</summary>
public static class DataTypeChange
{
    /// <summary>Of a counter; negative to count down.</summary>
    public static DataTypeOperation Increment(BigInteger amount) => new DataTypeOperation.Increment(amount);

    /// <summary>Members of a set.</summary>
    public static DataTypeOperation Add(params string[] members) => new DataTypeOperation.ChangeSet(Bytes(members), []);

    /// <summary>Members of a set; <see cref="DataTypeUpdateOptions.Context"/> says what the caller has seen of it.</summary>
    public static DataTypeOperation Remove(params string[] members) => new DataTypeOperation.ChangeSet([], Bytes(members));

    /// <summary>Members of a grow-only set.</summary>
    public static DataTypeOperation Grow(params string[] members) => new DataTypeOperation.Grow(Bytes(members));

    /// <summary>Members whose number a HyperLogLog estimates.</summary>
    public static DataTypeOperation Observe(params string[] members) => new DataTypeOperation.Observe(Bytes(members));

    /// <summary>Fields of a map.</summary>
    public static DataTypeOperation Map(Action<MapChange> change)
    {
        var map = new MapChange();
        change(map);
        return map.Build();
    }

    internal static ImmutableArray<ReadOnlyMemory<byte>> Bytes(string[] members) => [.. members.Select(member => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(member))];
}
