using System.Text;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Objects;

namespace Kv.Simulation.Running;

/// <summary>Writes to keys that are sets.</summary>
internal static class SetUpdates
{
    /// <summary>A put as an update: adds the write's name and removes those that its client saw. Conditions have no place there.</summary>
    public static KvRequest.Put Of(KvRequest.Put put, string name, VersionVector? context, IEnumerable<string> seen) => put with
    {
        Content = new Sibling { Dot = null },
        Context = VersionVector.Empty,
        IfNoneMatch = false,
        IfNotModified = false,
        Update = new DataTypeUpdate(new DataTypeOperation.ChangeSet([Bytes(name)], context is null ? [] : [.. seen.Select(Bytes)]), context),
    };

    /// <summary>What a fetch gives as context of removals; null for no set.</summary>
    public static VersionVector? ClockOf(KvObject held) =>
        held.Siblings is [var only] && DataTypeCodec.TryDecode(only.Value.Span, out var state, out _) && state is CausalDataType set ? set.Clock : null;

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
