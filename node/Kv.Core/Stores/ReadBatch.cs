namespace Kv.Core.Stores;

/// <summary>
/// The keys one pass of a vnode wants to read, and after <see cref="IPartitionStore.ReadAsync"/> their values, by position. Reading
/// many at once lets an engine overlap the reads that have to go to disk. A single owner; reused by <see cref="Clear"/>.
/// </summary>
public sealed class ReadBatch
{
    private readonly List<ReadOnlyMemory<byte>> keys = [];
    private readonly List<ReadOnlyMemory<byte>?> values = [];
    private readonly List<bool> refusals = [];
    private readonly List<StoreBackend> backends = [];
    private readonly HashSet<int> misplaced = [];

    public int Count => keys.Count;

    /// <summary>Whether some key is of <see cref="StoreBackend.Ordered"/>.</summary>
    public bool HasOrdered { get; private set; }

    /// <summary>Whether some key is of <see cref="StoreBackend.Memory"/>.</summary>
    public bool HasMemory { get; private set; }

    /// <summary>Adds a key of a backend and returns its position.</summary>
    public int Add(ReadOnlyMemory<byte> key, StoreBackend backend = StoreBackend.Hash)
    {
        keys.Add(key);
        backends.Add(backend);
        HasOrdered |= backend == StoreBackend.Ordered;
        HasMemory |= backend == StoreBackend.Memory;
        values.Add(null);
        refusals.Add(false);
        return keys.Count - 1;
    }

    public ReadOnlyMemory<byte> Key(int position) => keys[position];

    public StoreBackend Backend(int position) => backends[position];

    /// <summary>The value, owned by the reader from here on; null where the store has no such key.</summary>
    public ReadOnlyMemory<byte>? Value(int position) => values[position];

    /// <summary>Whether the value is there and was not read, for want of memory. The others were.</summary>
    public bool IsRefused(int position) => refusals[position];

    /// <summary>Whether a key of another backend was found by hash, where it was written before its bucket type was known here: it has no index entries yet.</summary>
    public bool IsMisplaced(int position) => misplaced.Contains(position);

    /// <summary>For engines: see <see cref="IsMisplaced"/>.</summary>
    public void SetMisplaced(int position) => misplaced.Add(position);

    /// <summary>For engines: there is no memory for this value now.</summary>
    public void SetRefused(int position) => refusals[position] = true;

    /// <summary>For engines: sets the value found.</summary>
    public void SetValue(int position, ReadOnlyMemory<byte>? value) => values[position] = value;

    public void Clear()
    {
        keys.Clear();
        values.Clear();
        refusals.Clear();
        backends.Clear();
        misplaced.Clear();
        HasOrdered = HasMemory = false;
    }
}
