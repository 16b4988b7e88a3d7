using System.Collections.Immutable;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>Partitions whose stores are damaged or gone.</summary>
public sealed partial class StorageEngine
{
    public IReadOnlyDictionary<PartitionId, string> Damaged => damaged.Found.IsEmpty
        ? ImmutableDictionary<PartitionId, string>.Empty // hot
        : damaged.Found.ToDictionary(found => found.Key, found => found.Value.Reason);

    public event Action<PartitionId, string>? FoundDamaged;

    public async ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel)
    {
        // One after the other: what a second one would delete is the store that was opened after the first.
        await discarding.WaitAsync(cancel);
        try
        {
            await DiscardOneAsync(partition);
        }
        finally
        {
            discarding.Release();
        }
    }

    /// <summary>Met while it was read or compacted. The store goes on to close by itself when whoever is inside has left.</summary>
    private void OnDamaged(FasterPartitionStore store, StoreDamagedException damage)
    {
        // First of all: whoever is refused by the store asks for the partition anew, and must not find it open and whole.
        Report(store.Partition, damage.Message);
        if (store.TryRefuse(damage))
        {
            _ = store.CloseDamagedAsync();
            FoundDamaged?.Invoke(store.Partition, damage.Message);
        }
    }

    private void Report(PartitionId partition, string reason)
    {
        try
        {
            damaged.Add(partition, reason, host.Log.NextLsn);
        }
        catch (IOException error)
        {
            throw host.Fail($"It could not be noted that the data of partition {partition} is damaged ({reason})", error);
        }
    }

    /// <summary>The partition was dropped whole; what was met in it while the drop waited is gone with it. Under the gate, so that nobody gives up what is opened next.</summary>
    private void ForgetDamage(PartitionId partition)
    {
        if (damaged.Found.ContainsKey(partition))
        {
            try
            {
                damaged.Remove(partition);
            }
            catch (IOException error)
            {
                throw host.Fail($"The mark that the data of partition {partition} is damaged could not be deleted", error);
            }
        }
    }

    private async ValueTask DiscardOneAsync(PartitionId partition)
    {
        host.ThrowIfFailed();
        host.ThrowIfNoRoomToDrop();
        FasterPartitionStore? closing;
        lock (gate)
        {
            open.TryGetValue(partition.Number, out closing);
        }

        if (closing is not null && damaged.Found.ContainsKey(partition))
        {
            await closing.WhenClosed;
        }

        lock (gate)
        {
            if (!damaged.Found.ContainsKey(partition) || open.ContainsKey(partition.Number))
            {
                throw new InvalidOperationException($"The store of partition {partition} is not damaged.");
            }

            closed.Remove(partition.Number);
            damagedFrom.Remove(partition.Number);
        }

        // As a drop: nothing of it comes back from the log, whatever becomes of the files.
        await host.Log.Append(new StoreIdentity(partition.Number, host.Log.NextLsn), LogRecordKind.Drop, EmptyPayload.Instance, Durability.Synced, out _, out var drop);
        try
        {
            directories.DeleteAll(partition.Number, drop);
            damaged.Remove(partition);
        }
        catch (IOException error)
        {
            throw host.Fail($"The damaged store of partition {partition} could not be deleted", error);
        }
    }
}
