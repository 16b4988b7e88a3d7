using System.Collections.Immutable;
using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>One partition on a simulated disk: what readers see, what is on disk, and the writes between.</summary>
internal sealed class SimPartition
{
    private static readonly ImmutableSortedDictionary<byte[], byte[]> Nothing =
        ImmutableSortedDictionary.Create<byte[], byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    private readonly Queue<ImmutableSortedDictionary<byte[], byte[]>> unsynced = new();
    private ImmutableSortedDictionary<byte[], byte[]> durable = Nothing;

    public ImmutableSortedDictionary<byte[], byte[]> Seen { get; private set; } = Nothing;

    public bool IsOpen { get; set; }

    public bool IsDropped { get; set; }

    /// <summary>Writes that were applied; those before a sync's number are on disk when it ends.</summary>
    public long Applied { get; private set; }

    private long Synced { get; set; }

    public void Apply(WriteBatch batch)
    {
        var next = Seen.ToBuilder();
        foreach (var (key, value) in batch.Entries)
        {
            if (value is { } put)
            {
                next[key.ToArray()] = put.ToArray();
            }
            else
            {
                next.Remove(key.ToArray());
            }
        }

        Seen = next.ToImmutable();
        unsynced.Enqueue(Seen);
        Applied++;
    }

    public void SyncUpTo(long write)
    {
        for (; Synced < write; Synced++)
        {
            durable = unsynced.Dequeue();
        }
    }

    /// <summary>The process died and the machine goes on: what was written gets to disk.</summary>
    public void Close()
    {
        SyncUpTo(Applied);
        IsOpen = false;
    }

    public void Crash(Random random)
    {
        SyncUpTo(Synced + random.Next(unsynced.Count + 1));
        unsynced.Clear();
        Synced = Applied;
        Seen = durable;
        IsOpen = false;
    }
}
