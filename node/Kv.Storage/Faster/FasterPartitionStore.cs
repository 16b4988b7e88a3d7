using System.Runtime.CompilerServices;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.Ordered;
using Kv.Storage.Segments;

namespace Kv.Storage.Faster;

/// <summary>
/// A partition behind the node's log, in a FasterKV of its own, and its ordered keys in a RocksDB beside it. A write is appended to the log, applied at once, and acknowledged with the log's
/// sync. Counts are exact, over restarts too. A batch is applied whole or not at all over a crash, since it is one payload of the log. A write of a
/// key that was not read just before may read what it replaces from the disk.
/// </summary>
internal sealed partial class FasterPartitionStore : IPartitionStore
{
    private const int FoldReadAttempts = 100;
    private static readonly TimeSpan FoldReadPause = TimeSpan.FromMilliseconds(100);

    private readonly IStoreHost host;
    private readonly StoreLog log;
    private readonly StoreReader caller;
    private readonly int chunkBytes;
    private readonly UseCounter uses = new();
    private readonly StoreWriter writer;

    // One checkpoint or compaction at a time; a fold begins between them.
    private readonly SemaphoreSlim maintenance = new(1, 1);

    private readonly StoreFolds folds;

    // Under the gate: what compaction is about to write anew.
    private readonly MovingKeys moving = new();
    private readonly SegmentIndex segments;

    // Guards progress, counts and the order of log and store between the one writer and a checkpoint that begins.
    private readonly object gate = new();
    private readonly StoreProgress progress;
    private bool isMoved;
    private int callerInside;

    public FasterPartitionStore(IStoreHost host, StoreIdentity identity, string directory, StoreCheckpoint? checkpoint)
    {
        this.host = host;
        Identity = identity;
        Directory = directory;
        progress = new StoreProgress(identity, checkpoint?.CoveredLsn ?? identity.Birth - 1);
        log = new StoreLog(host, directory, checkpoint);
        chunkBytes = log.PageBytes / 4;
        caller = NewReader(moving);
        folds = new StoreFolds(uses);
        try
        {
            ordered = new OrderedRecords(host.Files, host.Ordered, directory, checkpoint?.Ordered?.Sequence, LogEnd(checkpoint), new OrderedValue(chunkBytes, host.Options.LongValueRoom), host.RanOutOfRoom);
            segments = SegmentIndex.Open(host.Files, directory, checkpoint?.CoveredLsn, host.CannotUse);
            writer = new StoreWriter(caller, ordered, chunkBytes, checkpoint, StoreTreesFile.Read(host.Files, directory, checkpoint, host.CannotUse), segments);
        }
        catch
        {
            caller.Dispose();
            log.Dispose();
            ordered?.Dispose();
            segments?.Dispose();
            throw;
        }

        MaxKeyBytes = Math.Min(StoreLimits.MaxKeyBytes, chunkBytes);
    }

    public StoreIdentity Identity { get; }

    public string Directory { get; }

    public PartitionId Partition => new(Identity.Partition);

    public long Birth => Identity.Birth;

    public StoreCapabilities Capabilities => StoreCapabilities.Durable | StoreCapabilities.AtomicBatch | StoreCapabilities.OrderedScan;

    public int MaxKeyBytes { get; }

    public int MaxValueBytes => host.Options.MaxValueBytes;

    public long ApproximateCount => writer.Hashed.Keys + writer.Ordered.Keys;

    public long ApproximateBytes => writer.Hashed.Bytes + writer.Ordered.Bytes;

    public HashTrees Trees => writer.Trees;

    /// <summary>Bytes of records, live and dead; 0 when it is closed.</summary>
    public long RecordBytes
    {
        get
        {
            if (!uses.TryEnter())
            {
                return 0;
            }

            try
            {
                return log.Bytes + ordered.FileBytes;
            }
            finally
            {
                uses.Exit();
            }
        }
    }

    public async ValueTask ReadAsync(ReadBatch batch, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        EnterCaller();
        try
        {
            await (batch.HasOrdered ? ReadWithOrderedAsync(batch) : caller.ReadAsync(batch, writer.Learn));

            // A device that failed answers zeros, and one that found rot; nothing read after that may be believed.
            ThrowIfUnsound();
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not read its ordered records", error);
        }
        finally
        {
            ExitCaller();
        }
    }

    public ValueTask WriteAsync(WriteBatch batch, Durability durability, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        StoreLimits.Check(batch, MaxKeyBytes, MaxValueBytes);
        return Cancellable(SettleAfter(Append(batch, durability, out var orderedLast), orderedLast), cancel);
    }

    public async IAsyncEnumerable<StoredEntry> FoldAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var (fold, reader) = await BeginFoldAsync(cancel);
        try
        {
            while (!fold.IsDone)
            {
                cancel.ThrowIfCancellationRequested();
                List<(byte[] Key, ReadOnlyMemory<byte>? Value)> stretch;
                Enter();
                try
                {
                    stretch = await fold.NextAsync();
                    ThrowIfUnsound();
                }
                catch (StoreDamagedException found)
                {
                    throw Damaged(found);
                }
                finally
                {
                    uses.Exit();
                }

                foreach (var (key, value) in stretch)
                {
                    if ((value ?? await ReadForFoldAsync(() => reader.ReadAsync(key))) is { } present)
                    {
                        yield return new StoredEntry(key, present);
                    }
                }
            }
        }
        finally
        {
            folds.Remove(fold, reader);
        }

        // A key that went from one engine to the other behind the fold above may wait still.
        await SettleAllAsync();
        await foreach (var entry in FoldOrderedAsync(cancel))
        {
            yield return entry;
        }
    }

    /// <summary>Applies a batch from the log at start.</summary>
    public void Replay(ReadOnlyMemory<byte> payload, long first, long last)
    {
        lock (gate)
        {
            writer.Apply(payload, last);
            progress.Applied(first, last, payload.Length, host.Time.GetTimestamp());
            ordered.SettleReplayed(last, MostWaitingBytes);
        }
    }

    /// <summary>What this store needs of the log, and what its checkpoint covers.</summary>
    public (long? NeededFrom, StoreCoverage Coverage) LogNeeds()
    {
        lock (gate)
        {
            return (progress.NeededFrom, new StoreCoverage(Identity, progress.CoveredLsn));
        }
    }

    private static ValueTask Cancellable(ValueTask done, CancellationToken cancel) =>
        cancel.CanBeCanceled && !done.IsCompleted ? new ValueTask(done.AsTask().WaitAsync(cancel)) : done;

    /// <summary>Appends and applies a batch. <paramref name="orderedLast"/> is its last sequence number, where it has ordered changes.</summary>
    private ValueTask Append(WriteBatch batch, Durability durability, out long? orderedLast)
    {
        orderedLast = null;
        EnterCaller();
        try
        {
            host.ThrowIfRefusing(batch.Bytes, ordered.WhyFull);
            if (batch.Count == 0 && batch.IndexChanges.Count == 0 && !batch.ChangesTrees)
            {
                return ValueTask.CompletedTask;
            }

            lock (gate)
            {
                batch = writer.Prepare(batch);
                ThrowIfUnsound();
                var done = host.Log.Append(Identity, LogRecordKind.Batch, writer.Record, durability, out var first, out var last);
                ApplyLogged(batch, first, last);
                orderedLast = writer.Record.HasOrdered ? last : null;
                return done;
            }
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not read its ordered records", error);
        }
        finally
        {
            ExitCaller();
        }
    }

    /// <summary>The last sequence number that anything here may have: what the log had when the node started, or wrote for this store since then and a checkpoint covers.</summary>
    private long LogEnd(StoreCheckpoint? checkpoint) => Math.Max(checkpoint?.CoveredLsn ?? 0, host.Log.RecoveredLsn);

    private void ApplyLogged(WriteBatch batch, long first, long last)
    {
        try
        {
            writer.Apply(batch, last);
        }
        catch (Exception error) when (error is not StoreException)
        {
            throw host.Fail($"The store in {Directory} could not apply a batch that is in the log", error);
        }

        progress.Applied(first, last, writer.Record.Length + LogRecord.HeaderBytes, host.Time.GetTimestamp());
    }

    private async ValueTask<(StoreFold Fold, StoreReader Reader)> BeginFoldAsync(CancellationToken cancel)
    {
        Enter();
        try
        {
            await maintenance.WaitAsync(cancel);
            try
            {
                var reader = NewReader();
                long until;
                lock (gate)
                {
                    until = log.Freeze();
                }

                var fold = new StoreFold(log, reader, log.BeginAddress, until);
                folds.Add(fold);
                return (fold, reader);
            }
            finally
            {
                maintenance.Release();
            }
        }
        finally
        {
            uses.Exit();
        }
    }

    /// <summary>A fold has time: where there is no memory for a long value it waits a while for what others hold.</summary>
    private async ValueTask<ReadOnlyMemory<byte>?> ReadForFoldAsync(Func<ValueTask<ReadOnlyMemory<byte>?>> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            Enter();
            try
            {
                var value = await read();
                ThrowIfUnsound();
                return value;
            }
            catch (StoreDamagedException found)
            {
                throw Damaged(found);
            }
            catch (IOException error)
            {
                throw host.Fail($"The store in {Directory} could not read its ordered records", error);
            }
            catch (StoreRefusedException) when (attempt < FoldReadAttempts)
            {
                // Waited for below, where the store may be closed meanwhile.
            }
            finally
            {
                uses.Exit();
            }

            await Task.Delay(FoldReadPause, host.Time);
        }
    }

    private StoreReader NewReader(MovingKeys? told = null) => new(log, log.NewSession(told), chunkBytes, host.Options, Directory);

    private void Enter()
    {
        host.ThrowIfFailed();
        ThrowIfDamaged();
        if (!uses.TryEnter())
        {
            throw WhyClosed();
        }
    }

    /// <summary>What to throw where nobody is let in any more; damage may have been met since that was asked.</summary>
    private ObjectDisposedException WhyClosed()
    {
        ThrowIfDamaged();
        return new ObjectDisposedException(GetType().FullName);
    }

    private void EnterCaller()
    {
        Enter();
        if (Interlocked.Exchange(ref callerInside, 1) != 0)
        {
            uses.Exit();
            throw new InvalidOperationException($"Two callers at one time on the store of partition {Partition}: reads and writes have one owner.");
        }
    }

    private void ExitCaller()
    {
        Volatile.Write(ref callerInside, 0);
        uses.Exit();
    }
}
