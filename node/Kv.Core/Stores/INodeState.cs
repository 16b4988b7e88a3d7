namespace Kv.Core.Stores;

/// <summary>
/// A node's small durable facts by name: its identity, the cluster document, what its consensus acceptor promised, vnodes' epochs.
/// A write replaces the value whole and is on disk when its task completes; a torn or damaged value throws <see cref="StoreException"/>
/// on reading rather than passing for absent. Names are lower-case letters, digits and hyphens, at most 64.
/// </summary>
public interface INodeState
{
    /// <summary>The value, or null where the name was never written.</summary>
    ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel);

    ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel);
}
