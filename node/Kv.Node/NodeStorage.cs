using Kv.Core.Stores;
using Kv.Storage;

namespace Kv.Node;

/// <summary>
/// What a node keeps its data in, open. <paramref name="Failed"/> completes when the storage is beyond use; <paramref name="FreeBytes"/> is asked anew
/// each time; <paramref name="CloseAsync"/> ends it after everything that uses it.
/// </summary>
public sealed record NodeStorage(
    IPartitionStores Stores,
    INodeState State,
    StorageStatistics Statistics,
    Task<Exception> Failed,
    Func<long> FreeBytes,
    Func<ValueTask> CloseAsync)
{
    /// <summary>Bytes of the log and of the stores' records.</summary>
    public long DataBytes() => Statistics.LogBytes + Statistics.StoreBytes;
}
