using System.Collections.Concurrent;
using System.Collections.Immutable;
using Kv.Cluster.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Vnodes;

/// <summary>Partitions whose data here is damaged or gone: not open, known to all who ask, and given up when they are to be rebuilt.</summary>
public sealed partial class VnodeHost
{
    /// <summary>The plan in force when each loss was first seen: whatever was said to be whole by that plan, or is still said to be, may be what is lost.</summary>
    private readonly ConcurrentDictionary<PartitionId, long> lostUnder = new();
    private int isDiscardingLater;

    /// <summary>Partitions whose data here is damaged or gone, and why; they are not open.</summary>
    public IReadOnlyDictionary<PartitionId, string> Damaged => stores.Damaged;

    /// <summary>Gives up what is left of a damaged partition. Where it is another's, nobody else may have it.</summary>
    internal async ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel)
    {
        await stores.DiscardAsync(partition, cancel);
        lostUnder.TryRemove(partition, out _);
    }

    /// <summary>
    /// Partitions of this node's that were lost once more by the plan that has them rebuilt. That they are whole may be decided at any moment, so that a new store in their place could pass
    /// for a replica: they wait for another plan.
    /// </summary>
    internal ImmutableArray<PartitionId> LostAgain(ClusterSnapshot snapshot) =>
        snapshot.Document is { Ring: var ring } ? [.. Rebuilt(snapshot, ring).Where(p => PlanOfLoss(p, ring) == ring.PlannedAt).Order()] : [];

    /// <summary>What is damaged here, and rebuilt from other replicas as the document has it.</summary>
    private IEnumerable<PartitionId> Rebuilt(ClusterSnapshot snapshot, Ring ring) =>
        stores.Damaged.Keys.Where(p => p.Number < ring.Size && ring.Owner(p) == snapshot.Self && ring.IsRebuilding(p));

    private long PlanOfLoss(PartitionId partition, Ring ring) => lostUnder.GetOrAdd(partition, ring.PlannedAt);

    /// <summary>A plan that is newer than their loss has these rebuilt from other replicas: what is left of them here is given up.</summary>
    private async Task DiscardLostAsync(ClusterSnapshot snapshot, Ring ring)
    {
        foreach (var partition in Rebuilt(snapshot, ring).Where(p => PlanOfLoss(p, ring) < ring.PlannedAt).ToList())
        {
            try
            {
                await DiscardAsync(partition, CancellationToken.None);
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
        TellDamaged(partition, reason);
        CloseDamaged(partition);
    }

    private void TellDamaged(PartitionId partition, string reason)
    {
        if (state.Current.Document is { Ring: var ring })
        {
            _ = PlanOfLoss(partition, ring);
        }

        LogDamaged(partition, reason);
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
