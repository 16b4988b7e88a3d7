namespace Kv.Storage;

/// <summary>Every bound of the storage engine. <see cref="Problems"/> names all that is wrong at once.</summary>
public sealed record StorageOptions
{
    /// <summary>Directory of the node's data; made where it is missing.</summary>
    public required string Directory { get; init; }

    /// <summary>Bytes of a log segment. <value>64 MiB; a multiple of 4096, 64 KiB to 1 GiB.</value> A rotation costs four syncs, so small ones cost latency.</summary>
    public int LogSegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes of log from which stores that hold it back are checkpointed by force, earlier where the disk has no room for so much; writes are refused at twice this.
    /// <value>1 GiB; at least four segments.</value> A start after a crash replays up to this, about 2 s a GiB.
    /// </summary>
    public long LogCapBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Longest time a write that nobody waits for stays off the disk (durability `interval` and `memory`). <value>1000 ms; 1 to 60,000.</value></summary>
    public int LogIntervalMilliseconds { get; init; } = 1000;

    /// <summary>Bytes of a page of a store. <value>1 MiB; a power of two, 4 KiB to 32 MiB.</value> A key may take a quarter; longer values are cut in quarters. Fixed for a store by its first checkpoint.</summary>
    public int PageBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes of a store's records kept in memory. <value>16 MiB; a power of two, at least four pages.</value> See <see cref="MemoryBudget"/>.</summary>
    public long StoreMemoryBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of a store's hash index at first; it doubles as keys come, at 8 bytes a key, up to a quarter of <see cref="StoreMemoryBytes"/>. <value>1 MiB; a power of two, 4 KiB to 1 GiB.</value></summary>
    public long StoreIndexBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes of a store's file on disk, the unit in which space comes back. <value>8 MiB; a power of two, at least a page.</value> Fixed for a store by its first checkpoint.</summary>
    public long StoreSegmentBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Longest value in bytes. <value>64 MiB; 1 KiB to 256 MiB.</value></summary>
    public int MaxValueBytes { get; init; } = StoreLimits.DefaultMaxValueBytes;

    /// <summary>
    /// Where the room for a long value that is read comes from; null where there is none for now, and the read is refused. <value>The heap.</value>
    /// </summary>
    public Func<int, byte[]?> LongValueRoom { get; init; } = static bytes => new byte[bytes];

    /// <summary>Bytes of a store's log since its checkpoint that make the next one due. <value>32 MiB; at least 64 KiB.</value></summary>
    public long CheckpointLogBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Age of a store's oldest write without a checkpoint that makes one due. <value>300 s; 1 to 86,400.</value></summary>
    public int CheckpointIntervalSeconds { get; init; } = 300;

    /// <summary>Bytes of memory for keys that came or went since their stores' checkpoints, all stores together, from which the stores with the most are checkpointed. <value>16 MiB; 64 KiB to 1 GiB.</value> See <see cref="MemoryBudget"/>.</summary>
    public long KeyDeltaBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of memory, outside the heap, for what ordered records keep there, all stores together. <value>64 MiB; 1 MiB to 64 GiB.</value> See <see cref="MemoryBudget"/>.</summary>
    public long OrderedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Stores that checkpoint or open at one time. <value>2; 1 to 16.</value> More starve the thread pool of a small machine.</summary>
    public int MaxConcurrentCheckpoints { get; init; } = 2;

    /// <summary>A store is compacted when its records on disk are this many times its live data. <value>2; 1.2 to 10.</value></summary>
    public double CompactionFactor { get; init; } = 2;

    /// <summary>Stores smaller than this on disk are never compacted. <value>16 MiB; at least four pages.</value></summary>
    public long CompactionMinBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Free bytes on the volume below which writes are refused. <value>512 MiB; at least two log segments.</value> Checkpoints and compaction need the room; where stores are so large that theirs need more, that is what must stay free.</summary>
    public long MinFreeBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>How often checkpoints, compaction, trimming and free space are looked at. <value>500 ms; 10 to 60,000.</value></summary>
    public int MaintenanceIntervalMilliseconds { get; init; } = 500;

    /// <summary>Makes log segments ready on another thread; tests that need one order of file operations turn it off.</summary>
    public bool PrepareLogAhead { get; init; } = true;

    /// <summary>Everything that is wrong with these options, one sentence each; empty where all is well.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Require(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }

        void Within(string name, long value, long low, long high) => Require(value >= low && value <= high, $"{name} is {value} and must be {low} to {high}.");
        void PowerOfTwo(string name, long value) => Require(long.IsPow2(value), $"{name} is {value} and must be a power of two.");

        Require(!string.IsNullOrWhiteSpace(Directory), $"{nameof(Directory)} is empty.");
        Within(nameof(LogSegmentBytes), LogSegmentBytes, 64 * 1024, 1024 * 1024 * 1024);
        Require(LogSegmentBytes % 4096 == 0, $"{nameof(LogSegmentBytes)} is {LogSegmentBytes} and must be a multiple of 4096.");
        Within(nameof(LogCapBytes), LogCapBytes, 4L * LogSegmentBytes, 1L << 40);
        Within(nameof(LogIntervalMilliseconds), LogIntervalMilliseconds, 1, 60_000);
        Within(nameof(PageBytes), PageBytes, 4096, 32 * 1024 * 1024);
        PowerOfTwo(nameof(PageBytes), PageBytes);
        Within(nameof(StoreMemoryBytes), StoreMemoryBytes, 4L * PageBytes, 1L << 40);
        PowerOfTwo(nameof(StoreMemoryBytes), StoreMemoryBytes);
        Within(nameof(StoreIndexBytes), StoreIndexBytes, 4096, 1024 * 1024 * 1024);
        PowerOfTwo(nameof(StoreIndexBytes), StoreIndexBytes);
        Within(nameof(StoreSegmentBytes), StoreSegmentBytes, PageBytes, 1024 * 1024 * 1024);
        PowerOfTwo(nameof(StoreSegmentBytes), StoreSegmentBytes);
        Within(nameof(MaxValueBytes), MaxValueBytes, 1024, 256 * 1024 * 1024);
        Within(nameof(CheckpointLogBytes), CheckpointLogBytes, 64 * 1024, 1L << 40);
        Within(nameof(CheckpointIntervalSeconds), CheckpointIntervalSeconds, 1, 86_400);
        Within(nameof(KeyDeltaBytes), KeyDeltaBytes, 64 * 1024, 1024 * 1024 * 1024);
        Within(nameof(OrderedBytes), OrderedBytes, 1024 * 1024, 64L * 1024 * 1024 * 1024);
        Within(nameof(MaxConcurrentCheckpoints), MaxConcurrentCheckpoints, 1, 16);
        Require(CompactionFactor is >= 1.2 and <= 10, FormattableString.Invariant($"{nameof(CompactionFactor)} is {CompactionFactor} and must be 1.2 to 10."));
        Within(nameof(CompactionMinBytes), CompactionMinBytes, 4L * PageBytes, 1L << 40);
        Within(nameof(MinFreeBytes), MinFreeBytes, 2L * LogSegmentBytes, 1L << 50);
        Within(nameof(MaintenanceIntervalMilliseconds), MaintenanceIntervalMilliseconds, 10, 60_000);
        return problems;
    }
}
