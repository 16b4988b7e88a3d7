using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>The engine's background task: checkpoints, compaction, trimming, free space.</summary>
public sealed partial class StorageEngine
{
    /// <summary>One round of upkeep: checkpoints that are due or that hold back a log that has much, compaction, trimming, free space.</summary>
    public async Task UpkeepOnceAsync()
    {
        host.ThrowIfFailed();
        var stores = OpenStores();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = host.Options.MaxConcurrentCheckpoints };
        var richest = FasterPartitionStore.RichestInNewKeys(stores, host.Options.KeyDeltaBytes);
        var forcedBelow = host.HasMuchLog() ? host.Log.MiddleLsn : 0;
        await Parallel.ForEachAsync(stores, parallel, async (store, _) =>
        {
            try
            {
                await LookAfterAsync(store, richest.Contains(store), forcedBelow);
            }
            catch (StoreDamagedException)
            {
                // Reported by the store, which closes; the others are as they were.
            }
        });
        await CheckpointClosedAsync(forcedBelow);
        TrimLog();
        host.Measure(stores.Sum(store => store.RecordBytes), UpkeepReserve(stores));
    }

    /// <summary>
    /// Bytes that writes must leave free, so that those stores that need the most can have their upkeep at one time: a disk that is full but for less stays so, since nothing but a checkpoint gives the log's bytes back.
    /// </summary>
    private long UpkeepReserve(IReadOnlyList<FasterPartitionStore> stores) =>
        stores.Select(store => store.RoomForUpkeep).OrderDescending().Take(host.Options.MaxConcurrentCheckpoints).Sum() + host.Options.LogSegmentBytes;

    private static async Task LookAfterAsync(FasterPartitionStore store, bool isRichest, long forcedBelow)
    {
        store.TrySettle();
        if (!store.HasRoomForUpkeep())
        {
            return;
        }

        const int maxSlices = 8;
        for (var slice = 0; slice < maxSlices && await store.CompactIfDueAsync(); slice++)
        {
            // As long as it is due, within a round's bound.
        }

        if (store.IsCheckpointDue() || isRichest || store.LogNeeds().NeededFrom < forcedBelow)
        {
            await store.CheckpointAsync();
        }
    }

    /// <summary>A store that nobody opens must not hold the log for ever either. One that there is no room for waits, as the open ones do.</summary>
    private async Task CheckpointClosedAsync(long forcedBelow)
    {
        PendingReplay[] holding;
        lock (gate)
        {
            holding = [.. closed.Where(pair => !open.ContainsKey(pair.Key) && pair.Value.Records is [var first, ..] && first.Lsn < forcedBelow).Select(pair => pair.Value)];
        }

        foreach (var pending in holding)
        {
            if (HasRoomToVisit(pending))
            {
                await VisitAsync(pending);
            }
        }
    }

    /// <summary>Room for what the replay writes, and then for the checkpoint; how large index and trees are is known when it was open once.</summary>
    private bool HasRoomToVisit(PendingReplay pending) =>
        host.HasRoomFor(pending.Bytes + Math.Max(pending.CheckpointRoomBytes, (2 * pending.Bytes) + host.Options.CompactionMinBytes));

    private async Task VisitAsync(PendingReplay pending)
    {
        var partition = pending.Store.Partition;
        var visit = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (open.ContainsKey(partition))
            {
                return; // Somebody opened it first, and it is looked at with the open ones from the next round on.
            }

            visited.Add(partition, visit.Task);
        }

        try
        {
            var store = await OpenStoreAsync(partition, CancellationToken.None);

            // Of another cover where somebody opened and closed it before this visit was known: it has nothing to be replayed any more.
            var isPending = store.LogNeeds().Coverage.CoveredLsn == pending.CoveredLsn;
            await (isPending && !store.HasRoomForUpkeep() ? PutBackAsync(store, pending) : store.DisposeAsync());
        }
        catch (InvalidOperationException)
        {
            // As above: it asked before this visit was known.
        }
        catch (StoreDamagedException damage)
        {
            // Known, and the log's no more; nobody asked for it who would say so.
            FoundDamaged?.Invoke(new PartitionId(partition), damage.Message);
        }
        finally
        {
            lock (gate)
            {
                visited.Remove(partition);
            }

            visit.SetResult();
        }
    }

    /// <summary>Closes a store as if it had not been opened: what the log has of it is replayed again by whoever opens it.</summary>
    private async ValueTask PutBackAsync(FasterPartitionStore store, PendingReplay pending)
    {
        pending.CheckpointRoomBytes = store.RoomForUpkeep;
        await store.AbandonAsync();
        lock (gate)
        {
            open.Remove(store.Identity.Partition);
            closed[store.Identity.Partition] = pending;
        }
    }

    private void TrimLog()
    {
        if (!host.HasRoomFor(TrimBytes))
        {
            return; // The manifest goes before the segments: without room for it they stay.
        }

        // Taken before the stores are asked: what is appended from here on is above it, whatever a store says.
        var keepFrom = host.Log.NextLsn;
        var coverage = new List<StoreCoverage>();
        lock (gate)
        {
            if (host.HasFailed)
            {
                return; // A store may have closed without its last checkpoint: what the log has of it is all there is, and nobody here knows of it any more.
            }

            foreach (var (partition, store) in open)
            {
                if (store is null)
                {
                    if (!closed.ContainsKey(partition))
                    {
                        return; // A new store is being made: it has a birth and no entry yet. Next round.
                    }

                    continue;
                }

                var (needed, covered) = store.LogNeeds();
                keepFrom = Math.Min(keepFrom, needed ?? long.MaxValue);
                coverage.Add(covered);
            }

            foreach (var store in closed.Values)
            {
                keepFrom = Math.Min(keepFrom, store.Records is [var first, ..] ? first.Lsn : long.MaxValue);
                coverage.Add(new StoreCoverage(store.Store, store.CoveredLsn));
            }

            // What a damaged store has in the log may be all that can be saved of it; but it must not hold the log for ever.
            if (damagedFrom.Count > 0 && !host.HasMuchLog())
            {
                keepFrom = Math.Min(keepFrom, damagedFrom.Values.Min());
            }
        }

        host.Log.Trim(keepFrom, coverage);
    }

    private async Task UpkeepAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(host.Options.MaintenanceIntervalMilliseconds), host.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                await UpkeepOnceAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        catch (Exception error)
        {
            // Without upkeep the log grows until writes are refused; better to say so now, and restart.
            LogUpkeepFailed(host.Logger, error);
            host.Fail("Storage upkeep failed", error);
        }
    }
}
