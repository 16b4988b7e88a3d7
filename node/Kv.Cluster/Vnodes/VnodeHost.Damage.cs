using Kv.Cluster.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Vnodes;

/// <summary>Partitions whose data here is damaged or gone: not open, known to all who ask, and given up when they are to be rebuilt.</summary>
public sealed partial class VnodeHost
{
    private int isDiscardingLater;

    /// <summary>Partitions whose data here is damaged or gone, and why; they are not open.</summary>
    public IReadOnlyDictionary<PartitionId, string> Damaged => stores.Damaged;

    /// <summary>Gives up what is left of a partition that is damaged here and another's: as a stand-in, nobody else may have it.</summary>
    internal ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => stores.DiscardAsync(partition, cancel);

    /// <summary>The document says that these are rebuilt from other replicas: what is left of them here is given up.</summary>
    private async Task DiscardLostAsync(ClusterSnapshot snapshot, Ring ring)
    {
        foreach (var partition in stores.Damaged.Keys.Where(p => p.Number < ring.Size && ring.Owner(p) == snapshot.Self && ring.IsRebuilding(p)).ToList())
        {
            try
            {
                await stores.DiscardAsync(partition, CancellationToken.None);
                LogDiscarded(partition);
            }
            catch (InvalidOperationException)
            {
                // Another document was faster.
            }
            catch (StoreRefusedException)
            {
                _ = DiscardLaterAsync();
            }
            catch (StoreException exception)
            {
                OnFailed(partition, exception);
            }
        }
    }

    /// <summary>The disk is full. Tried again as long as the document says so, and by one at a time.</summary>
    private async Task DiscardLaterAsync()
    {
        if (Interlocked.Exchange(ref isDiscardingLater, 1) != 0)
        {
            return;
        }

        await Task.Delay(options.HandoffInterval, time);
        Volatile.Write(ref isDiscardingLater, 0);
        lock (gate)
        {
            if (isStopping)
            {
                return;
            }
        }

        await OpenOwnedAsync(state.Current);
    }

    /// <summary>Met while it was read, by whomever: this partition is as if it had been found so at the start, and the others go on.</summary>
    private void OnFoundDamaged(PartitionId partition, string reason)
    {
        LogDamaged(partition, reason);
        CloseDamaged(partition);
    }

    private void CloseDamaged(PartitionId partition)
    {
        if (Find(partition) is { } vnode)
        {
            _ = CloseDamagedAsync(vnode);
        }
    }

    private async Task CloseDamagedAsync(Vnode vnode)
    {
        vnode.EndDamaged();
        Forget(vnode);
        try
        {
            await vnode.DisposeAsync();
        }
        catch (StoreException)
        {
            // The engine failed meanwhile, and has said so.
            return;
        }

        // It may be one that is being rebuilt already.
        await OpenOwnedAsync(state.Current);
    }

    [LoggerMessage(EventId = 2003, Level = LogLevel.Critical, Message = "The data of partition {Partition} is damaged and not served: {Reason}. `kv cluster rebuild {Partition}` has it rebuilt from the other replicas")]
    private partial void LogDamaged(PartitionId partition, string reason);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Gave up what was left of the data of partition {Partition}, which is rebuilt from the other replicas")]
    private partial void LogDiscarded(PartitionId partition);
}
