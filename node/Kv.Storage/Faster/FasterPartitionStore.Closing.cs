using Kv.Core.Stores;
using Kv.Storage.Log;

namespace Kv.Storage.Faster;

/// <summary>The ways in which it ends: dropped, closed with a last checkpoint, abandoned. Whoever comes first closes; what waits for it goes on whatever becomes of that.</summary>
internal sealed partial class FasterPartitionStore
{
    public async ValueTask DropAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        host.ThrowIfFailed();
        ThrowIfDamaged();
        host.ThrowIfNoRoomToDrop();
        if (!uses.TryClose(out var left))
        {
            throw WhyClosed();
        }

        try
        {
            await left;
            await DropClosedAsync();
            host.Closed(this, isDropped: true);
        }
        catch (StoreRefusedException)
        {
            await ReopenAsync();
            throw;
        }
        catch
        {
            closed.TrySetResult();
            throw;
        }

        closed.TrySetResult();
    }

    /// <summary>Takes a last checkpoint, so that the next opening need not replay, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!uses.TryClose(out var left))
        {
            if (IsDamaged)
            {
                await closed.Task;
            }

            return;
        }

        try
        {
            await left;
            if (!IsDamaged)
            {
                await CheckpointBeforeClosingAsync();
            }

            await maintenance.WaitAsync();
            CloseFiles();
            host.Closed(this, isDropped: false);
        }
        finally
        {
            closed.TrySetResult();
        }
    }

    /// <summary>Closes without a checkpoint: for a store that could not be opened to the end, or an engine that has failed.</summary>
    public async ValueTask AbandonAsync()
    {
        if (uses.TryClose(out var left))
        {
            try
            {
                await left;
                CloseFiles();
            }
            finally
            {
                closed.TrySetResult();
            }
        }
    }

    private async ValueTask DropClosedAsync()
    {
        await maintenance.WaitAsync(CancellationToken.None);
        try
        {
            lock (gate)
            {
                // The log keeps the record of the drop for as long as the files are there.
                progress.Applied(host.Log.NextLsn, progress.AppliedLsn, 0, host.Time.GetTimestamp());
            }

            // From here on nothing of it comes back: the log says so before the files go.
            var logged = host.Log.Append(Identity, LogRecordKind.Drop, EmptyPayload.Instance, Durability.Synced, out _, out _);
            try
            {
                await logged;
            }
            finally
            {
                CloseFiles();
            }

            host.Files.DeleteDirectory(Directory);
            host.Files.SyncDirectory(Path.GetDirectoryName(Directory)!);
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not be dropped", error);
        }
        finally
        {
            maintenance.Release();
        }
    }

    /// <summary>The log did not take the record of its drop: it is as it was. Damage that was met meanwhile waited for the drop to close it.</summary>
    private async Task ReopenAsync()
    {
        uses.Reopen();
        if (IsDamaged)
        {
            await CloseDamagedAsync();
        }
    }

    private async Task CheckpointBeforeClosingAsync()
    {
        try
        {
            long applied;
            bool hasNew;
            lock (gate)
            {
                (applied, hasNew) = (progress.AppliedLsn, isMoved || !progress.IsCovered);
            }

            if (hasNew && !HasRoomForUpkeep())
            {
                // Also what nobody waits for: its writer's counters are recorded next, as those of a clean stop.
                await host.Log.WhenDurable(applied);
                throw new StoreException($"{ordered.WhyFull ?? "the disk is full"}; the next start replays the log instead");
            }

            await CheckpointAsync(isClosing: true);
        }
        catch (StoreDamagedException)
        {
            // Reported; it closes as it is, and is not opened again.
        }
        catch (StoreException error)
        {
            // The log has what this checkpoint would have covered, and keeps it only in an engine that has failed: it is not to trim or open again.
            host.Fail($"The store in {Directory} could not take its last checkpoint", error);
        }
    }

    private void CloseFiles()
    {
        caller.Dispose();
        log.Dispose();
        ordered.Dispose();
        segments.Dispose();
    }
}
