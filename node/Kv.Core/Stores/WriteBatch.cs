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
    private long entryBytes;

    /// <summary>One change. <see cref="Value"/> is null where the key is removed.</summary>
    public readonly record struct Entry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);

    public IReadOnlyList<Entry> Entries => entries;

    public int Count => entries.Count;

    /// <summary>What the batch does to the store's trees, after <see cref="NewTrees"/>; each once, whatever becomes of repeated keys.</summary>
    public IReadOnlyList<TreeChange> TreeChanges => treeChanges;

    /// <summary>Takes the place of the store's trees, which have been built anew from the data; the store's own from then on. Null leaves them.</summary>
    public HashTrees? NewTrees { get; set; }

    public bool ChangesTrees => NewTrees is not null || treeChanges.Count > 0;

    /// <summary>Bytes of keys and values together, and of <see cref="NewTrees"/> as they are kept.</summary>
    public long Bytes => entryBytes + (NewTrees?.EncodedBytes ?? 0);

    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        entries.Add(new Entry(key, value));
        entryBytes += key.Length + value.Length;
    }

    public void Remove(ReadOnlyMemory<byte> key)
    {
        entries.Add(new Entry(key, null));
        entryBytes += key.Length;
    }

    public void Change(in TreeChange change) => treeChanges.Add(change);

    public void Clear()
    {
        entries.Clear();
        treeChanges.Clear();
        NewTrees = null;
        entryBytes = 0;
    }
}
