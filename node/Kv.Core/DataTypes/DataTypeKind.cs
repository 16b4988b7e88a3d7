namespace Kv.Core.DataTypes;

/// <summary>Riak's data types (reference 5.2). Registers and flags are fields of maps only; grow-only sets and HyperLogLogs are never fields. Persisted: append only.</summary>
public enum DataTypeKind : byte
{
    /// <summary>A sum of increments and decrements.</summary>
    Counter = 1,

    /// <summary>Members that may be removed; an addition beats a removal that had not seen it.</summary>
    Set = 2,

    /// <summary>A value; of concurrent ones the latest.</summary>
    Register = 3,

    /// <summary>True or false; enabling beats a disabling that had not seen it.</summary>
    Flag = 4,

    /// <summary>Fields, each of a kind of its own; an update beats a removal that had not seen it.</summary>
    Map = 5,

    /// <summary>Members that stay.</summary>
    GSet = 6,

    /// <summary>An estimate of how many distinct members were added.</summary>
    HyperLogLog = 7,
}
