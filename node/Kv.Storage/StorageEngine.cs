using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Storage;

/// <summary>
/// The durable stores of a node: one log for all, a FasterKV for each partition, and the upkeep of both (checkpoints, compaction, trimming, free
/// space) on one background task. A store is opened lazily: the log is read and verified once, and each store replays its own part when it is opened.
/// </summary>
public sealed partial class StorageEngine : IPartitionStores
{
    /// <summary>Room for a manifest, with a good deal to spare.</summary>
    private const long TrimBytes = 256 * 1024;

    private readonly StoreDirectories directories;
    private readonly StorageHost host;
    private readonly DamagedPartitions damaged;
    private readonly IDisposable directoryLock;
    private readonly SemaphoreSlim opening;
    private readonly SemaphoreSlim discarding = new(1, 1);

    // Guards the maps: what is open (null while it is being opened), and what is there and is not open.
    private readonly Lock gate = new();
    private readonly Dictionary<int, FasterPartitionStore?> open = [];
    private readonly Dictionary<int, PendingReplay> closed;

    // Of damaged partitions: the first sequence number that no checkpoint covers. Under the gate too.
    private readonly Dictionary<int, long> damagedFrom;

    // Stores that upkeep has open for a checkpoint; who wants one waits until it is closed again.
    private readonly Dictionary<int, Task> visited = [];
    private readonly Task upkeep;
    private readonly CancellationTokenSource stopping = new();
    private bool isDisposed;

    private StorageEngine(StorageHost host, StoreDirectories directories, DamagedPartitions damaged, RecoveredStores recovered, IDisposable directoryLock, bool runsUpkeep)
    {
        this.host = host;
        (this.directories, this.damaged) = (directories, damaged);
        (closed, damagedFrom) = (recovered.Kept, recovered.DamagedFrom);
        this.directoryLock = directoryLock;
        opening = new SemaphoreSlim(host.Options.MaxConcurrentCheckpoints, host.Options.MaxConcurrentCheckpoints);
        (host.OnDamaged, host.OnClosed) = (OnDamaged, OnClosed);
        upkeep = runsUpkeep ? Task.Run(UpkeepAsync) : Task.CompletedTask;
    }

    public StorageStatistics Statistics => host.Statistics;

    /// <summary>Why the engine has failed; null while it is well.</summary>
    public StoreException? Failure => host.Failure;

    public IReadOnlyCollection<PartitionId> Partitions
    {
        get
        {
            lock (gate)
            {
                return open.Keys.Concat(closed.Keys).Distinct().Order().Select(number => new PartitionId(number)).ToArray();
            }
        }
    }

    /// <inheritdoc/>
    public VolumeSpace Space => host.Space();

    /// <summary>Opens or makes a node's data directory and recovers its log.</summary>
    /// <param name="options">Valid options; others throw <see cref="ArgumentException"/> with every problem.</param>
    /// <param name="failed">Called once, from any thread, when storage has failed: the node must exit, since it can acknowledge nothing any more.</param>
    /// <param name="files">The disk; null for the real one.</param>
    /// <param name="time">The clock of intervals; null for the system's.</param>
    /// <param name="logger">Null for none.</param>
    /// <param name="runsUpkeep">False leaves upkeep to calls of <see cref="UpkeepOnceAsync"/>.</param>
    /// <exception cref="StoreException">The data is damaged, of an unknown format, or in use by another process.</exception>
    public static StorageEngine Open(
        StorageOptions options,
        Action<StoreException> failed,
        IStorageFiles? files = null,
        TimeProvider? time = null,
        ILogger? logger = null,
        bool runsUpkeep = true)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Problems() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(" ", problems), nameof(options));
        }

        files ??= DiskFiles.Instance;
        logger ??= NullLogger.Instance;
        options = options with { Directory = Path.GetFullPath(options.Directory) };
        var taken = EngineDirectory.Take(files, options.Directory);
        StorageHost? host = null;
        try
        {
            var root = Path.Combine(options.Directory, "stores");
            var directories = new StoreDirectories(files, root);
            directories.CreateRoot();
            var damaged = new DamagedPartitions(files, root);
            damaged.Load(reason => LogUnreadableMark(logger, reason));
            var broken = new Dictionary<StoreIdentity, string>();
            var recovered = new RecoveredStores(directories.Load(broken), broken, damaged);
            EngineDirectory.CheckFormat(files, options.Directory);
            host = new StorageHost(files, options, time ?? TimeProvider.System, failed, logger);
            host.OpenLog(Path.Combine(options.Directory, "log"), recovered.CoveredLsn, recovered.Add);
            var outdated = new List<StoreIdentity>();
            recovered.Resolve(host.Log, outdated);
            outdated.ForEach(directories.Delete);
            EngineDirectory.MarkFormat(files, options.Directory);
            var records = recovered.Kept.Values.Sum(store => (long)store.Records.Count);
            var (last, torn) = (host.Log.NextLsn - 1, host.Log.TornBytes);
            LogRecovered(logger, options.Directory, recovered.Kept.Count, records, last, torn);
            return new StorageEngine(host, directories, damaged, recovered, taken, runsUpkeep);
        }
        catch (Exception error)
        {
            host?.CloseLog();
            taken.Dispose();
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new StoreException($"The data directory {options.Directory} could not be opened: {error.Message}", error);
            }

            throw;
        }
    }

    public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel)
    {
        while (VisitOf(partition.Number) is { } visit)
        {
            await visit.WaitAsync(cancel);
        }

        return await OpenStoreAsync(partition.Number, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (isDisposed)
            {
                return;
            }

            isDisposed = true;
        }

        await stopping.CancelAsync();
        await upkeep;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = host.Options.MaxConcurrentCheckpoints };
        await Parallel.ForEachAsync(OpenStores(), parallel, async (store, _) => await store.DisposeAsync());
        if (host.Failure is null)
        {
            try
            {
                TrimLog();
            }
            catch (StoreException error)
            {
                LogUpkeepFailed(host.Logger, error);
            }
        }

        host.CloseLog();
        host.CloseOrdered();
        directoryLock.Dispose();
        opening.Dispose();
        discarding.Dispose();
        stopping.Dispose();
    }

    private async Task<FasterPartitionStore> OpenStoreAsync(int partition, CancellationToken cancel)
    {
        host.ThrowIfFailed();
        damaged.ThrowIf(new PartitionId(partition));
        PendingReplay? pending;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (!open.TryAdd(partition, null))
            {
                throw new InvalidOperationException($"The store of partition {partition} is open already.");
            }

            closed.TryGetValue(partition, out pending);
        }

        FasterPartitionStore? store = null;
        try
        {
            await opening.WaitAsync(cancel);
            try
            {
                store = await Task.Run(() => Recover(partition, pending), cancel);
            }
            catch (StoreDamagedException damage)
            {
                Report(new PartitionId(partition), damage.Message);
                lock (gate)
                {
                    // Nobody will open it.
                    if (closed.Remove(partition, out pending) && pending.Records is [var first, ..])
                    {
                        damagedFrom[partition] = first.Lsn;
                    }
                }

                throw;
            }
            finally
            {
                opening.Release();
            }
        }
        finally
        {
            lock (gate)
            {
                if (store is null)
                {
                    open.Remove(partition);
                }
                else
                {
                    open[partition] = store;
                    closed.Remove(partition);
                }
            }
        }

        return store;
    }

    private FasterPartitionStore Recover(int partition, PendingReplay? pending)
    {
        var identity = pending?.Store ?? new StoreIdentity(partition, host.Log.NextLsn);
        try
        {
            if (pending is null)
            {
                // The directory must not outlive a crash that the log before its birth does not: it would tell of a log that has lost its end.
                host.Log.WhenDurable(identity.Birth - 1).AsTask().GetAwaiter().GetResult();
                CreateDirectory(identity);
            }

            RequireRoom(pending);
            var directory = directories.PathOf(identity);
            var store = new FasterPartitionStore(host, identity, directory, StoreCheckpoint.Read(host.Files, directory, identity));
            try
            {
                StoreReplay.Run(store, pending, host.Log);
                host.ThrowIfFailed();
                return store;
            }
            catch
            {
                store.AbandonAsync().AsTask().GetAwaiter().GetResult();
                throw;
            }
        }
        catch (StoreDamagedException) when (host.Failure is { } failure)
        {
            // A device that failed answers zeros: what was read proves nothing.
            throw new StoreException(failure.Message, failure);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            throw new StoreException($"The store of partition {partition} could not be opened: {error.Message}", error);
        }
    }

    /// <summary>FASTER waits for ever on a page that it cannot write: what does not fit in memory must fit on the disk.</summary>
    private void RequireRoom(PendingReplay? pending)
    {
        if (pending is { Bytes: var bytes } && 2 * bytes > host.Options.StoreMemoryBytes && !host.HasRoomFor(2 * bytes))
        {
            throw new StoreException(
                $"The disk of {host.Options.Directory} is full: the log has {bytes} bytes to be replayed into the store of partition {pending.Store.Partition}, for which {2 * bytes} must be free. Make room and start again.");
        }
    }

    private void CreateDirectory(StoreIdentity identity)
    {
        try
        {
            directories.Create(identity);
        }
        catch (IOException error) when (host.IsRefusing)
        {
            // A later birth has another name; the start removes what is empty.
            throw new StoreRefusedException($"There is no room for a store of partition {identity.Partition}: {error.Message}");
        }
    }

    private List<FasterPartitionStore> OpenStores()
    {
        lock (gate)
        {
            return [.. open.Values.OfType<FasterPartitionStore>()];
        }
    }

    private Task? VisitOf(int partition)
    {
        lock (gate)
        {
            return visited.GetValueOrDefault(partition);
        }
    }

    private void OnClosed(FasterPartitionStore store, bool isDropped)
    {
        lock (gate)
        {
            open.Remove(store.Identity.Partition);
            if (isDropped)
            {
                ForgetDamage(store.Partition);
            }
            else if (damaged.Found.ContainsKey(store.Partition))
            {
                if (store.LogNeeds().NeededFrom is { } needed)
                {
                    damagedFrom[store.Identity.Partition] = needed;
                }
            }
            else
            {
                closed[store.Identity.Partition] = new PendingReplay(store.Identity, store.Directory, store.LogNeeds().Coverage.CoveredLsn);
            }
        }
    }

    [LoggerMessage(EventId = 4001, Level = LogLevel.Information, Message = "Recovered {Directory}: {Stores} stores, {Records} records to replay, log ends at {LastLsn}, {TornBytes} bytes of an unfinished group cut")]
    private static partial void LogRecovered(ILogger logger, string directory, int stores, long records, long lastLsn, long tornBytes);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "A mark of a damaged partition cannot be read, and the partition counts as damaged: {Reason}")]
    private static partial void LogUnreadableMark(ILogger logger, string reason);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Error, Message = "Storage upkeep failed")]
    private static partial void LogUpkeepFailed(ILogger logger, Exception error);
}
