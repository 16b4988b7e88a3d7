using Kv.Core.Stores;

namespace Kv.Node;

/// <summary>
/// What a node keeps its data in, open. <paramref name="Failed"/> completes when the storage is beyond use; the two functions give bytes;
/// <paramref name="CloseAsync"/> ends it after everything that uses it.
/// </summary>
public sealed record NodeStorage(
    IPartitionStores Stores,
    INodeState State,
    int FormatVersion,
    Task<Exception> Failed,
    Func<long> DataBytes,
    Func<long> FreeBytes,
    Func<ValueTask> CloseAsync);
