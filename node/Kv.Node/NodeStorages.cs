using Kv.Storage.Files;
using Kv.Storage.Memory;
using Kv.Storage.State;

namespace Kv.Node;

/// <summary>Opens what a node keeps its data in.</summary>
public static class NodeStorages
{
    private const int MemoryFormatVersion = 1;

    /// <summary>Nothing outlives the process: for tests.</summary>
    public static NodeStorage InMemory()
    {
        var stores = new MemoryPartitionStores();
        return new NodeStorage(
            stores, new MemoryNodeState(), MemoryFormatVersion, new TaskCompletionSource<Exception>().Task, static () => 0, static () => 0, stores.DisposeAsync);
    }

    /// <summary>The data directory. Throws a store exception on damage.</summary>
    public static NodeStorage Open(NodeOptions options)
    {
        Directory.CreateDirectory(options.DataDirectory);
        var stores = new MemoryPartitionStores();
        return new NodeStorage(
            stores,
            new FileNodeState(new DiskFiles(), Path.Combine(options.DataDirectory, "state")),
            MemoryFormatVersion,
            new TaskCompletionSource<Exception>().Task,
            static () => 0,
            () => new DriveInfo(options.DataDirectory).AvailableFreeSpace,
            stores.DisposeAsync);
    }
}
