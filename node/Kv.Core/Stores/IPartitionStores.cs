using Kv.Core.Rings;

namespace Kv.Core.Stores;

/// <summary>A node's stores: one for each partition and engine that it holds data of.</summary>
public interface IPartitionStores : IAsyncDisposable
{
    /// <summary>The partitions that have data on this node now, whoever owns them; after a restart, those to serve or to hand back.</summary>
    IReadOnlyCollection<PartitionId> Partitions { get; }

    /// <summary>The room where the data lies, asked anew each time.</summary>
    VolumeSpace Space => VolumeSpace.Unbounded;

    /// <summary>Partitions whose data here is damaged or gone, and why: not among <see cref="Partitions"/>, and not to be opened.</summary>
    IReadOnlyDictionary<PartitionId, string> Damaged { get; }

    /// <summary>Tells, with the reason, of a partition whose data was found damaged while it was open, or by the stores' own upkeep: it is in <see cref="Damaged"/>, and its store, if it was open, serves nothing any more and closes. From any thread.</summary>
    event Action<PartitionId, string> FoundDamaged;

    /// <summary>Gives up for good whatever is left of a damaged partition; durable when it completes, and the partition is as if it had never been here.</summary>
    /// <exception cref="InvalidOperationException">The partition is not damaged, or another call was faster, whose work stays as it is.</exception>
    /// <exception cref="StoreRefusedException">There is no room on the disk to take note of it; nothing is changed.</exception>
    ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel);

    /// <summary>
    /// Opens the partition's store, made empty where there is none. Opening one that is open throws <see cref="InvalidOperationException"/>, a damaged one
    /// <see cref="StoreDamagedException"/>.
    /// </summary>
    ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel);
}
