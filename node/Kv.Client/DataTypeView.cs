using Kv.Core.DataTypes;

namespace Kv.Client;

/// <summary>What a fetch found.</summary>
/// <param name="Kind">What the bucket type's keys are.</param>
/// <param name="Value">Null where there is nothing.</param>
/// <param name="Context">Opaque. Of a set or map: an update that removes and carries it takes away what was seen here and nothing else. Empty for the others.</param>
public sealed record DataTypeView(DataTypeKind Kind, DataTypeValue? Value, ReadOnlyMemory<byte> Context);
