using Kv.Core.Stores;

namespace Kv.TestKit;

/// <summary>Node state on a simulated disk. A crash during a write leaves the old value or the new one.</summary>
internal sealed class SimNodeState(SimVolume volume, SimContext context) : INodeState
{
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel)
    {
        await Task.Delay(volume.SyncTime, context.Time, cancel);
        return volume.State.TryGetValue(name, out var value) ? value.ToArray() : default(ReadOnlyMemory<byte>?);
    }

    public async ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        var written = value.ToArray();
        await Task.Delay(volume.SyncTime, context.Time, cancel);
        volume.State[name] = written;
        await Task.Delay(volume.SyncTime, context.Time, cancel);
    }
}
