using System.Globalization;
using System.Numerics;
using Kv.Core.AntiEntropy;

namespace Kv.Storage;

/// <summary>
/// How a node's memory limit is shared out. A store costs its records in memory, its index, two pages, and 8 MiB that FASTER reserves for
/// overflow buckets (counted against the heap limit, resident only when used), and hash trees: the least ones of three ranges, and what rounding leaves over, so that they may be finer; keys that are new or gone since
/// checkpoints take a part together, twice while they are written out; what bucket types keep in memory alone takes its bound; the log two buffers; the rest of the process a fixed part.
/// </summary>
/// <param name="LimitBytes">The process's memory limit (a pod's limit, or the machine's memory).</param>
/// <param name="Stores">The most stores that will be open at one time.</param>
/// <param name="PageBytes">Bytes of a page.</param>
/// <param name="StoreMemoryBytes">Bytes of records in memory for each store.</param>
/// <param name="StoreIndexBytes">Bytes of index for each store.</param>
/// <param name="TreeBytes">Bytes of a store's hash trees at most; one store's are built at a time, with a copy on the way to the log and one to a file.</param>
/// <param name="KeyDeltaBytes">Bytes of new keys, of all stores together, from which they are written out.</param>
/// <param name="MemoryBackendBytes">Bytes that objects of bucket types with `backend: memory` take at most.</param>
/// <param name="RequestBytes">Bytes of requests under way.</param>
public sealed record MemoryBudget(
    long LimitBytes, int Stores, int PageBytes, long StoreMemoryBytes, long StoreIndexBytes, long TreeBytes, long KeyDeltaBytes, long MemoryBackendBytes, long RequestBytes)
{
    private const long Mebi = 1024 * 1024;
    private const long Page = Mebi;
    private const long LeastStoreBytes = 4 * Page;
    private const long OverflowBytes = 8 * Mebi;
    private const long LeastTreeBytes = 3 * 4L * HashTree.Segments;
    private const long MostTreeBytes = 64 * Mebi;
    private const int TreeCopies = 3;
    private const long EnoughRequestBytes = 512 * Mebi;
    private const long ProcessBytes = 150 * Mebi;
    private const long LogBytes = 16 * Mebi;
    private const long MaxStoreMemoryBytes = 1024 * Mebi;

    // .NET takes three quarters of a container's limit as its heap limit unless told otherwise.
    private const double HeapShare = 0.75;

    /// <summary>Bytes that the heap needs when every store is full.</summary>
    public long HeapBytes =>
        ProcessBytes + LogBytes + RequestBytes + MemoryBackendBytes + (2 * KeyDeltaBytes) + (TreeCopies * (TreeBytes - LeastTreeBytes)) + (Stores * (StoreMemoryBytes + StoreIndexBytes + OverflowBytes + TreeBytes + (2L * PageBytes)));

    /// <summary>Bytes for ordered records, where there are any, in the quarter of the limit that is not the heap's.</summary>
    public long OrderedBytes => Math.Clamp(LimitBytes / 16, 4 * Mebi, 1024 * Mebi);

    /// <summary>Whether the limit holds it all.</summary>
    public bool Fits => HeapBytes <= LimitBytes * HeapShare;

    /// <summary>The least limit that would hold this budget.</summary>
    public long NeededLimitBytes => (long)(HeapBytes / HeapShare);

    /// <summary>
    /// Shares the limit out, what is for `backend: memory` first. Requests get a quarter of it up to 512 MiB, less where stores of the least size need the room, and a sixteenth in any case. Of the rest each store gets the largest
    /// power of two of record memory that fits, a sixteenth of that as index, and up to a quarter of it for its hash trees where rounding leaves so much. Pages have 1 MiB: keys must fit a quarter of a page, so it is the least that takes the longest key.
    /// </summary>
    public static MemoryBudget For(long limitBytes, int stores, long memoryBackendBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limitBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stores);
        ArgumentOutOfRangeException.ThrowIfNegative(memoryBackendBytes);
        var newKeys = Math.Clamp(limitBytes / 128, 2 * Mebi, 64 * Mebi);
        var heap = (long)(limitBytes * HeapShare) - ProcessBytes - LogBytes - memoryBackendBytes - (2 * newKeys);
        var least = stores * (LeastStoreBytes + IndexOf(LeastStoreBytes) + OverflowBytes + LeastTreeBytes + (2 * Page));
        var requests = Math.Max(limitBytes / 16, Math.Min(Math.Min(limitBytes / 4, EnoughRequestBytes), heap - least));
        var share = ((heap - requests) / stores) - OverflowBytes - LeastTreeBytes - (2 * Page);
        var memory = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, share * 16 / 17) + 1) / 2;
        memory = Math.Clamp(memory, LeastStoreBytes, MaxStoreMemoryBytes);
        var left = Math.Max(0, share - memory - IndexOf(memory)) * stores / (stores + TreeCopies);
        var trees = Math.Min(LeastTreeBytes + Math.Min(left, memory / 4), MostTreeBytes);
        return new MemoryBudget(limitBytes, stores, (int)Page, memory, IndexOf(memory), trees, newKeys, memoryBackendBytes, requests);
    }

    /// <summary>The options with this budget's sizes.</summary>
    public StorageOptions Apply(StorageOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { PageBytes = PageBytes, StoreMemoryBytes = StoreMemoryBytes, StoreIndexBytes = StoreIndexBytes, KeyDeltaBytes = KeyDeltaBytes, OrderedBytes = OrderedBytes };
    }

    /// <summary>One line to print at start.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"memory: limit {LimitBytes / Mebi} MiB, heap {HeapBytes / Mebi} MiB when full = {Stores} stores x (records {StoreMemoryBytes / Mebi} MiB + index {StoreIndexBytes / 1024} KiB + pages {2L * PageBytes / Mebi} MiB + overflow 8 MiB + trees {TreeBytes / 1024} KiB) + new keys {2 * KeyDeltaBytes / Mebi} MiB + memory backend {MemoryBackendBytes / Mebi} MiB + requests {RequestBytes / Mebi} MiB + log 16 MiB + process 150 MiB{(Fits ? "" : $"; too little: needs a limit of {NeededLimitBytes / Mebi} MiB or fewer stores")}");

    private static long IndexOf(long memory) => Math.Clamp(memory / 16, 256 * 1024, 64 * Mebi);
}
