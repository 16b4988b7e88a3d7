using System.Collections.Concurrent;
using Kv.Core.Stores;

namespace Kv.Storage.State;

/// <summary>Node state that lives as long as this object: for the simulator and tests. Completes before it returns.</summary>
public sealed class MemoryNodeState : INodeState
{
    private readonly ConcurrentDictionary<string, byte[]> values = new(StringComparer.Ordinal);

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel)
    {
        StateName.Check(name);
        cancel.ThrowIfCancellationRequested();
        return ValueTask.FromResult(values.TryGetValue(name, out var value) ? (ReadOnlyMemory<byte>?)value.AsSpan().ToArray() : null);
    }

    public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        StateName.Check(name);
        cancel.ThrowIfCancellationRequested();
        values[name] = value.ToArray();
        return ValueTask.CompletedTask;
    }
}
