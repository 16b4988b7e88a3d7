using System.Collections.Immutable;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>One partition on a simulated disk: what readers see, what is on disk, and the writes between.</summary>
internal sealed class SimPartition(long birth)
{
    public static readonly ImmutableSortedDictionary<byte[], byte[]> Nothing =
        ImmutableSortedDictionary.Create<byte[], byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    private static readonly ImmutableSortedSet<byte[]> NoEntries = ImmutableSortedSet.Create<byte[]>(Nothing.KeyComparer);

    /// <summary>Values as they lie on disk, by identity: what replaces one is sound, and a crash that takes the replacement brings the rot back.</summary>
    private readonly HashSet<byte[]> rotten = new(ReferenceEqualityComparer.Instance);

    /// <summary>Values written as ordered, by identity too.</summary>
    private readonly HashSet<byte[]> ordered = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<Write> unsynced = new();
    private ImmutableSortedDictionary<byte[], byte[]> durable = Nothing;
    private ImmutableSortedSet<byte[]> durableIndex = NoEntries;

    public long Birth { get; } = birth;

    public ImmutableSortedDictionary<byte[], byte[]> Seen { get; private set; } = Nothing;

    /// <summary>Index entries.</summary>
    public ImmutableSortedSet<byte[]> Index { get; private set; } = NoEntries;

    /// <summary>As readers see them; a crash takes back what the writes did that are lost.</summary>
    public HashTrees Trees { get; private set; } = new();

    /// <summary>Whether the store knows its keys by segment; false for data of an older program.</summary>
    public bool HasSegments { get; set; } = true;

    public bool IsOpen { get; set; }

    public bool IsDropped { get; set; }

    /// <summary>Writes that were applied; those before a sync's number are on disk when it ends.</summary>
    public long Applied { get; private set; }

    /// <summary>Some entry's checksum is wrong.</summary>
    public bool IsRotten => rotten.Count > 0 && Seen.Values.Any(rotten.Contains);

    private long Synced { get; set; }

    private sealed record Write(ImmutableSortedDictionary<byte[], byte[]> Data, ImmutableSortedSet<byte[]> Index, HashTrees TreesBefore, bool HasNewTrees, ImmutableArray<TreeChange> Changes);

    public void Apply(WriteBatch batch)
    {
        var next = Seen.ToBuilder();
        foreach (var (key, value, backend) in batch.Entries)
        {
            if (value is { } put)
            {
                var written = put.ToArray();
                next[key.ToArray()] = written;
                _ = backend == StoreBackend.Ordered && ordered.Add(written);
            }
            else
            {
                next.Remove(key.ToArray());
            }
        }

        foreach (var (entry, isAdded) in batch.IndexChanges)
        {
            Index = isAdded ? Index.Add(entry.ToArray()) : Index.Remove(entry.ToArray());
        }

        Seen = next.ToImmutable();
        unsynced.Enqueue(new Write(Seen, Index, Trees, batch.NewTrees is not null, [.. batch.TreeChanges]));
        Trees = Trees.After(batch);
        Applied++;
    }

    public int ReadSegments(int from, int until, int enough, List<ReadOnlyMemory<byte>> keys)
    {
        var before = keys.Count;
        foreach (var segment in Seen.Keys.GroupBy(key => HashTree.SegmentOf(EntryHash.OfKey(key))).Where(s => s.Key >= from && s.Key < until).OrderBy(s => s.Key))
        {
            keys.AddRange(segment.Select(key => new ReadOnlyMemory<byte>(key)));
            if (keys.Count - before >= enough)
            {
                return segment.Key + 1;
            }
        }

        return until;
    }

    public bool IsOrderedValue(byte[] value) => ordered.Contains(value);

    public bool IsRottenValue(byte[] value) => rotten.Contains(value);

    /// <summary>One entry of those on disk goes bad. False where there is none.</summary>
    public bool Rot(Random random)
    {
        if (durable.Count == 0)
        {
            return false;
        }

        rotten.Add(durable.ElementAt(random.Next(durable.Count)).Value);
        return true;
    }

    public void SyncUpTo(long write)
    {
        for (; Synced < write; Synced++)
        {
            var next = unsynced.Dequeue();
            (durable, durableIndex) = (next.Data, next.Index);
        }
    }

    /// <summary>The process died and the machine goes on: what was written gets to disk.</summary>
    public void Close()
    {
        SyncUpTo(Applied);
        EndLife();
    }

    public void Crash(Random random)
    {
        SyncUpTo(Synced + random.Next(unsynced.Count + 1));
        foreach (var lost in unsynced.Reverse())
        {
            TakeBack(lost);
        }

        unsynced.Clear();
        Synced = Applied;
        (Seen, Index) = (durable, durableIndex);
        EndLife();
    }

    /// <summary>Trees of what was in memory alone go with the process.</summary>
    private void EndLife()
    {
        IsOpen = false;
        if (Trees.Ranges.Any(range => range.IsVolatile))
        {
            Trees = HashTrees.TryDecode(Trees.Encode(), out var lasting, out var reason) ? lasting : throw new InvalidOperationException(reason);
        }
    }

    private void TakeBack(Write lost)
    {
        if (lost.HasNewTrees)
        {
            Trees = lost.TreesBefore;
            return;
        }

        // A change is its own undoing.
        foreach (var change in lost.Changes)
        {
            Trees.Apply(change);
        }
    }
}
