using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>
/// The event of a coordinated update: its dot, its time by the coordinator's clock, and the context that the client gave: what it had seen of the set or map when it
/// asked for removals. Null: what the coordinator's replica holds.
/// </summary>
public readonly record struct DataTypeEvent(Dot Dot, long Microseconds, VersionVector? Context)
{
    internal uint UnixSeconds => (uint)(Microseconds / 1_000_000);
}
