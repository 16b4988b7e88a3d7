using System.IO.Hashing;

namespace Kv.Storage.Faster;

/// <summary>
/// What the last few thousand keys that were read or written hold, so that a write that follows its read, as a vnode's do, need not read again.
/// Direct-mapped: a newer key pushes an older one out. Used by the store's one caller, under the store's lock.
/// </summary>
internal sealed class KnownValues
{
    private const int Slots = 4096;
    private const int MaxKeyBytes = 1024;

    private readonly (byte[]? Key, PriorValue Value)[] slots = new (byte[]?, PriorValue)[Slots];

    public bool TryGet(ReadOnlySpan<byte> key, out PriorValue value)
    {
        ref var slot = ref Slot(key);
        value = slot.Value;
        return slot.Key is not null && key.SequenceEqual(slot.Key);
    }

    public void Set(ReadOnlySpan<byte> key, in PriorValue value)
    {
        ref var slot = ref Slot(key);
        if (slot.Key is null || !key.SequenceEqual(slot.Key))
        {
            // The rare long key is read again rather than kept: the slots' memory stays bounded.
            slot.Key = key.Length <= MaxKeyBytes ? key.ToArray() : null;
        }

        slot.Value = value;
    }

    private ref (byte[]? Key, PriorValue Value) Slot(ReadOnlySpan<byte> key) => ref slots[XxHash3.HashToUInt64(key) % Slots];
}
