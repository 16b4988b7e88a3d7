using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// The keys, as stored, that compaction is about to write anew, and that nobody has written since it took note of them. Under the store's lock only.
/// </summary>
internal sealed class MovingKeys
{
    private readonly Dictionary<ReadOnlyMemory<byte>, long> addresses = new(KeyBytesComparer.Instance);

    /// <summary>Of two records of one key the later counts: the earlier is dead.</summary>
    public void Add(byte[] storeKey, long address) => addresses[storeKey] = address;

    /// <summary>The key holds something newer now.</summary>
    public void Written(ReadOnlySpan<byte> storeKey)
    {
        if (addresses.Count > 0)
        {
            addresses.Remove(storeKey.ToArray());
        }
    }

    public bool IsUnwritten(byte[] storeKey, long address) => addresses.TryGetValue(storeKey, out var noted) && noted == address;

    public void Clear() => addresses.Clear();
}
