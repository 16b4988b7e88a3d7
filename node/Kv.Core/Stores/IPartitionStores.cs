using Kv.Core.Rings;

namespace Kv.Core.Stores;

/// <summary>A node's stores: one for each partition and engine that it holds data of.</summary>
public interface IPartitionStores : IAsyncDisposable
{
    /// <summary>The partitions that have data on this node now, whoever owns them; after a restart, those to serve or to hand back.</summary>
    IReadOnlyCollection<PartitionId> Partitions { get; }

    /// <summary>Bytes that there is room for where the data lies; the most there can be where that has no bound.</summary>
    long FreeBytes => long.MaxValue;

    /// <summary>Opens the partition's store, made empty where there is none. Opening one that is open throws <see cref="InvalidOperationException"/>.</summary>
    ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel);
}
