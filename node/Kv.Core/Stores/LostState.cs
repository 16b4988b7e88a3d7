namespace Kv.Core.Stores;

/// <summary>
/// A node whose stores hold data and whose own facts are gone must not start as a new one: it would give dots that it gave before, vote anew where it voted, take what was read before a reap, and
/// what it holds would be found by nobody. These facts are written before the first store is made, so their absence beside a store is a loss.
/// </summary>
public static class LostState
{
    /// <summary>Throws <see cref="StoreException"/> where there are stores and the fact <paramref name="name"/> was never written.</summary>
    public static async ValueTask ThrowIfLostAsync(INodeState state, string name, IPartitionStores stores, CancellationToken cancel)
    {
        if (stores.Partitions.Count is var partitions and > 0 && await state.ReadAsync(name, cancel) is null)
        {
            throw new StoreException(
                $"the data directory holds {partitions} partitions and no `{name}` in its `state`, which was deleted or is another volume's. Put `state` back as it was at the last stop. "
                + "If it is lost, this node is: empty the data directory, start it as a new node, and replace the old one in the cluster; the other replicas have its data");
        }
    }
}
