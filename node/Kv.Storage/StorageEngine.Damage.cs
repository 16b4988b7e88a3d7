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

    public void ReportDamage(PartitionId partition, string reason)
    {
        // A device that failed answers zeros: what was read then proves nothing, and the next start looks again.
        if (host.Failure is null or StoreDamagedException)
        {
            damaged.Add(partition, reason, host.Log.NextLsn);
        }
    }

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

    private async ValueTask DiscardOneAsync(PartitionId partition)
    {
        host.ThrowIfFailed();
        lock (gate)
        {
            if (!damaged.Found.ContainsKey(partition) || open.ContainsKey(partition.Number))
            {
                throw new InvalidOperationException($"The store of partition {partition} is not damaged, or is open.");
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
