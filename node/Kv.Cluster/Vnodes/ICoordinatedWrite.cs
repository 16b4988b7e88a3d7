using Kv.Core.Objects;

namespace Kv.Cluster.Vnodes;

/// <summary>Told by the coordinating vnode when a write is applied and before it is durable, so that sending to replicas and syncing overlap.</summary>
internal interface ICoordinatedWrite
{
    /// <summary>Called once, on the mailbox's turn; must be quick and not throw. Not called for a write that is refused.</summary>
    void OnApplied(KvObject applied, ReadOnlyMemory<byte> stored);
}
