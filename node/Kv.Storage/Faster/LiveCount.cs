namespace Kv.Storage.Faster;

/// <summary>Live keys of one backend of a store, and the bytes of keys and values. Changed under the store's lock; read from anywhere.</summary>
internal sealed class LiveCount(long keys, long bytes)
{
    private long keys = keys;
    private long bytes = bytes;

    public long Keys => Interlocked.Read(ref keys);

    public long Bytes => Interlocked.Read(ref bytes);

    public (long Keys, long Bytes) Both => (Keys, Bytes);

    public void Add(long moreKeys, long moreBytes)
    {
        Interlocked.Add(ref keys, moreKeys);
        Interlocked.Add(ref bytes, moreBytes);
    }
}
