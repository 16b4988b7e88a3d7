using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Memory;

/// <summary>
/// A node's stores, with keys of <see cref="StoreBackend.Memory"/> kept beside them in memory, within a bound of the node. Everything else goes to the stores beneath as it comes.
/// What is in memory is gone when a store is closed.
/// </summary>
/// <param name="stores">The stores beneath; disposed with these.</param>
/// <param name="room">The bound, of all stores together.</param>
public sealed class StoresWithMemory(IPartitionStores stores, MemoryRoom room) : IPartitionStores
{
    private readonly MemoryPartitionStores memory = new();

    public event Action<PartitionId, string> FoundDamaged
    {
        add => stores.FoundDamaged += value;
        remove => stores.FoundDamaged -= value;
    }

    public IReadOnlyCollection<PartitionId> Partitions => stores.Partitions;

    public VolumeSpace Space => stores.Space;

    public IReadOnlyDictionary<PartitionId, string> Damaged => stores.Damaged;

    public ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => stores.DiscardAsync(partition, cancel);

    public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel)
    {
        var store = await stores.OpenAsync(partition, cancel);
        return new StoreWithMemory(store, await memory.OpenAsync(partition, CancellationToken.None), room);
    }

    public ValueTask DisposeAsync() => stores.DisposeAsync();
}
