using Kv.Core.AntiEntropy;

namespace Kv.Core.Stores;

/// <summary>
/// What one pass of a vnode changes in its store, applied whole: later entries of a key win over earlier ones. A single owner
/// fills it, hands it to <see cref="IPartitionStore.WriteAsync"/> and may <see cref="Clear"/> and fill it again once the call has
/// returned its task (the store has copied what it needs by then).
/// </summary>
public sealed class WriteBatch
{
    private readonly List<Entry> entries = [];
    private readonly List<TreeChange> treeChanges = [];
    private readonly List<IndexChange> indexChanges = [];
    private long entryBytes;
    private bool isAllMemory = true;

    /// <summary>
    /// One change. <see cref="Value"/> is null where the key is removed. <see cref="Backend"/> is always the same for a key, but for one whose type was not known yet: that one may be found elsewhere
    /// (<see cref="ReadBatch.IsMisplaced"/>), and is removed from there if <see cref="IsMisplaced"/> says so.
    /// </summary>
    public readonly record struct Entry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value, StoreBackend Backend = StoreBackend.Hash)
    {
        public bool IsMisplaced { get; init; }
    }

    public IReadOnlyList<Entry> Entries => entries;

    public int Count => entries.Count;

    /// <summary>What the batch does to the store's trees, after <see cref="NewTrees"/>; each once, whatever becomes of repeated keys.</summary>
    public IReadOnlyList<TreeChange> TreeChanges => treeChanges;

    /// <summary>Takes the place of the store's trees, which have been built anew from the data; the store's own from then on. Null leaves them.</summary>
    public HashTrees? NewTrees { get; set; }

    /// <summary>Index entries that come and go with the batch, in order; the last one of an entry counts.</summary>
    public IReadOnlyList<IndexChange> IndexChanges => indexChanges;

    /// <summary>Whether some entry is of <see cref="StoreBackend.Memory"/>, or some tree of a volatile range.</summary>
    public bool HasMemory { get; private set; }

    /// <summary>Whether all of it is in memory alone: done at once, it says nothing of how durable what came before is.</summary>
    public bool IsInMemoryAlone => isAllMemory && NewTrees is null;

    public bool ChangesTrees => NewTrees is not null || treeChanges.Count > 0;

    /// <summary>Bytes of keys, values and index entries together, and of <see cref="NewTrees"/> as they are kept.</summary>
    public long Bytes => entryBytes + (NewTrees?.EncodedBytes ?? 0);

    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, StoreBackend backend = StoreBackend.Hash) => Add(new Entry(key, value, backend));

    public void Remove(ReadOnlyMemory<byte> key, StoreBackend backend = StoreBackend.Hash) => Add(new Entry(key, null, backend));

    public void Add(in Entry entry)
    {
        entries.Add(entry);
        entryBytes += entry.Key.Length + (entry.Value?.Length ?? 0);
        Note(entry.Backend == StoreBackend.Memory);
    }

    public void Change(in TreeChange change)
    {
        treeChanges.Add(change);
        Note(change.Range.IsVolatile);
    }

    public void Change(in IndexChange change)
    {
        indexChanges.Add(change);
        Note(isMemory: false);
        entryBytes += change.Entry.Length;
    }

    /// <summary>Takes over what another batch does beside its entries.</summary>
    public void TakeChangesOf(WriteBatch other)
    {
        NewTrees = other.NewTrees;
        other.treeChanges.ForEach(change => Change(change));
        other.indexChanges.ForEach(change => Change(change));
    }

    public void Clear()
    {
        entries.Clear();
        treeChanges.Clear();
        indexChanges.Clear();
        NewTrees = null;
        entryBytes = 0;
        (HasMemory, isAllMemory) = (false, true);
    }

    private void Note(bool isMemory)
    {
        HasMemory |= isMemory;
        isAllMemory &= isMemory;
    }
}
