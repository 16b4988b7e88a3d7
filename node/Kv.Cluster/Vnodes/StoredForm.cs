using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>Reads objects in stored form where damage is this node's own: a store's checksums let none through, so it is a reason to stop.</summary>
internal static class StoredForm
{
    public static KvObject Decode(ReadOnlyMemory<byte> stored) =>
        ObjectCodec.TryDecode(stored, out var value, out var failure) ? value : throw new StoreException($"a value of the store is {failure}");

    public static VersionVector Clock(ReadOnlyMemory<byte> stored) =>
        ObjectCodec.PeekClock(stored.Span) ?? throw new StoreException("a value of the store is not a stored object: its clock cannot be read");
}
