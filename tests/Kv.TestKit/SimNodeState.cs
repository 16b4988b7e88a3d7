using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>
/// Node state on a simulated disk. A crash during a write leaves the old value or the new one, and so does a sync that fails: it may be the file's, or that of the directory
/// after the rename. A full disk takes what is written as long as it has its reserve, as the one of files does.
/// </summary>
internal sealed class SimNodeState(SimVolume volume, SimContext context) : INodeState
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel)
    {
        await Task.Delay(volume.SyncTime, context.Time, cancel);
        return volume.State.TryGetValue(name, out var value) ? value.ToArray() : default(ReadOnlyMemory<byte>?);
    }

    public async ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        if (volume is { IsFull: true, HasReserve: false })
        {
            throw new StoreException($"there is no room for {name} on the simulated disk");
        }

        var written = value.ToArray();
        await Task.Delay(volume.SyncTime, context.Time, cancel);
        if (volume.FailSyncs)
        {
            if (volume.Scheduler.Random.Next(2) == 0)
            {
                volume.State[name] = written;
            }

            throw new StoreException($"the simulated disk failed to sync {name}");
        }

        volume.State[name] = written;
        await Task.Delay(volume.SyncTime, context.Time, cancel);
    }
}
