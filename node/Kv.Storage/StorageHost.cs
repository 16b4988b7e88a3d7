using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;
using Kv.Storage.Ordered;
using Microsoft.Extensions.Logging;

namespace Kv.Storage;

/// <summary>What the engine's parts share: files, log, clock, the one failure, and the decision whether there is room for a write.</summary>
internal sealed partial class StorageHost(IStorageFiles files, StorageOptions options, TimeProvider time, Action<StoreException> failed, ILogger logger) : IStoreHost
{
    private const int LogRefusalFactor = 2;

    private readonly Lazy<OrderedEngine> ordered = new(() => new OrderedEngine(options.OrderedBytes));
    private WriteAheadLog? log;
    private StoreException? failure;

    // What may still be written before the disk is looked at again; below zero, writes are refused until upkeep finds room.
    private long roomBytes = long.MaxValue;
    private long reserveBytes;
    private volatile string? refusal;

    public IStorageFiles Files => files;

    public WriteAheadLog Log => log ?? throw new InvalidOperationException("The log is not open yet.");

    public StorageOptions Options => options;

    public TimeProvider Time => time;

    public OrderedEngine Ordered() => ordered.Value;

    public ILogger Logger => logger;

    public StorageStatistics Statistics { get; } = new();

    public StoreException? Failure => Volatile.Read(ref failure);

    public bool HasFailed => Failure is not null;

    public Action<FasterPartitionStore, StoreDamagedException>? OnDamaged { get; set; }

    public Action<FasterPartitionStore, bool>? OnClosed { get; set; }

    public void OpenLog(string directory, long acknowledged, Action<LogRecord, LogLocation> found)
    {
        var logOptions = LogOptions.ForSegments(options.LogSegmentBytes) with
        {
            Interval = TimeSpan.FromMilliseconds(options.LogIntervalMilliseconds),
            PrepareAhead = options.PrepareLogAhead,
        };
        log = WriteAheadLog.Open(files, directory, logOptions, time, acknowledged, found, error => Fail("The log failed", error), Statistics.Committed);
        Measure(0, 0);
    }

    public void CloseLog() => log?.Dispose();

    /// <summary>When all stores have closed.</summary>
    public void CloseOrdered()
    {
        if (ordered.IsValueCreated)
        {
            ordered.Value.Dispose();
        }
    }

    public void ThrowIfFailed()
    {
        if (Failure is { } cause)
        {
            throw new StoreException(cause.Message, cause);
        }
    }

    /// <summary>Whether writes are refused for want of room.</summary>
    public bool IsRefusing => refusal is not null;

    /// <exception cref="StoreException">The system does not say.</exception>
    public bool HasRoomFor(long bytes) => FreeBytes() >= bytes;

    /// <summary>Free now; used and reserved as of the last look.</summary>
    /// <exception cref="StoreException">The system does not say.</exception>
    public VolumeSpace Space() => new(FreeBytes(), Statistics.LogBytes + Statistics.StoreBytes, Interlocked.Read(ref reserveBytes));

    /// <summary>
    /// Whether the log has more than its cap; or on a small disk than half of what it could have before writes are refused, and than two segments (where they are refused, one). A checkpoint gives that back, and what is
    /// written until then needs as much again.
    /// </summary>
    /// <exception cref="StoreException">The system does not say what is free.</exception>
    public bool HasMuchLog()
    {
        var bytes = Log.TotalBytes;
        var room = FreeBytes() + bytes - Interlocked.Read(ref reserveBytes);
        return bytes > Math.Min(options.LogCapBytes, Math.Max((IsRefusing ? 1L : 2L) * options.LogSegmentBytes, room / 2));
    }

    public void ThrowIfRefusing(long bytes, string? reason)
    {
        // Each byte is written twice, to the log and to the store.
        if (refusal is null && Interlocked.Add(ref roomBytes, -2 * bytes) < 0)
        {
            refusal = $"The disk of {options.Directory} is nearly full: too little would be left free for checkpoints.";
            LogRefusing(logger, refusal);
        }

        if ((reason ?? refusal) is { } why)
        {
            Statistics.Refused();
            throw new StoreRefusedException(why);
        }
    }

    /// <summary>Looks at disk and log, and decides whether writes are taken until the next look.</summary>
    /// <param name="storeBytes">Of all records.</param>
    /// <param name="upkeepReserve">What the stores' upkeep may need at one time.</param>
    public void Measure(long storeBytes, long upkeepReserve)
    {
        var free = FreeBytes();
        var logBytes = Log.TotalBytes;
        Statistics.Measured(logBytes, storeBytes, free);

        // What is written takes from the room and adds as much to what the next checkpoint needs.
        Interlocked.Exchange(ref roomBytes, Math.Min(free - options.MinFreeBytes, (free - upkeepReserve) / 2));
        var reserve = Math.Max(options.MinFreeBytes, upkeepReserve);
        Interlocked.Exchange(ref reserveBytes, reserve);
        var was = refusal;
        refusal = free < reserve
            ? $"The disk of {options.Directory} is nearly full: {free} bytes are free and {reserve} must stay so."
            : logBytes > options.LogCapBytes * LogRefusalFactor
                ? $"The log of {options.Directory} has {logBytes} bytes, over twice its cap of {options.LogCapBytes}: checkpoints are behind."
                : null;
        if (refusal is { } reason && was is null)
        {
            LogRefusing(logger, reason);
        }
        else if (refusal is null && was is not null)
        {
            LogTaking(logger);
        }
    }

    public StoreException Fail(string what, Exception cause)
    {
        var error = cause as StoreException ?? new StoreException($"{what}: {cause.Message}", cause);
        if (Interlocked.CompareExchange(ref failure, error, null) is { } earlier)
        {
            return earlier;
        }

        failed(error);
        return error;
    }

    public void Damaged(FasterPartitionStore store, StoreDamagedException damage) => OnDamaged?.Invoke(store, damage);

    public void ThrowIfNoRoomToDrop()
    {
        if (!Log.HasRoomAtHand && !IsRoomCertain(2L * options.LogSegmentBytes))
        {
            throw new StoreRefusedException($"The disk of {options.Directory} is full: there is no room for the record of a drop in the log's segment, nor for another segment.");
        }
    }

    public void Closed(FasterPartitionStore store, bool isDropped) => OnClosed?.Invoke(store, isDropped);

    public void Checkpointed(bool isCompaction)
    {
        if (isCompaction)
        {
            Statistics.Compacted();
        }
        else
        {
            Statistics.Checkpointed();
        }
    }

    public void CannotUse(string reason) => LogUnusable(logger, reason);

    public void Restored(string what) => LogRestored(logger, what);

    public void RanOutOfRoom(string reason) => LogRefusing(logger, reason);

    private bool IsRoomCertain(long bytes)
    {
        try
        {
            return HasRoomFor(bytes);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private long FreeBytes()
    {
        try
        {
            return files.FreeBytes(options.Directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"How much is free on the disk of {options.Directory} could not be asked: {error.Message}", error);
        }
    }

    [LoggerMessage(EventId = 4012, Level = LogLevel.Warning, Message = "A file beside the data cannot be used; what was in it is made anew from the data: {Reason}")]
    private static partial void LogUnusable(ILogger logger, string reason);

    [LoggerMessage(EventId = 4013, Level = LogLevel.Warning, Message = "Restored from its copy: {What}")]
    private static partial void LogRestored(ILogger logger, string what);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Error, Message = "Writes are refused: {Reason}")]
    private static partial void LogRefusing(ILogger logger, string reason);

    [LoggerMessage(EventId = 4011, Level = LogLevel.Information, Message = "Writes are taken again")]
    private static partial void LogTaking(ILogger logger);
}
