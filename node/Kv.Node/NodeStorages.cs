using Kv.Core.Stores;
using Kv.Storage;
using Kv.Storage.Files;
using Kv.Storage.Memory;
using Kv.Storage.State;
using Kv.Wire;

namespace Kv.Node;

/// <summary>Opens what a node keeps its data in.</summary>
public static class NodeStorages
{
    private const long LeastMemoryBackendBytes = 1 << 20;

    /// <summary>Nothing outlives the process: for tests.</summary>
    public static NodeStorage InMemory()
    {
        var stores = new MemoryPartitionStores();
        var never = new TaskCompletionSource<Exception>().Task;
        return new NodeStorage(stores, new MemoryNodeState(), new StorageStatistics(), never, static () => 0, stores.DisposeAsync);
    }

    /// <summary>How a limit is shared out among a node's stores and requests.</summary>
    public static MemoryBudget Budget(NodeOptions options)
    {
        var limit = MemoryLimit.Bytes(options);
        if (options.MemoryBackendBytes is { } asked)
        {
            return MemoryBudget.For(limit, options.StoresPerNode, asked);
        }

        // Nobody asked for it: it takes nothing from requests and stores.
        var without = MemoryBudget.For(limit, options.StoresPerNode);
        for (var bytes = limit / 32; bytes >= LeastMemoryBackendBytes; bytes /= 2)
        {
            var with = MemoryBudget.For(limit, options.StoresPerNode, bytes);
            if (with.Fits && with.RequestBytes == without.RequestBytes && with.StoreMemoryBytes == without.StoreMemoryBytes)
            {
                return with;
            }
        }

        return without;
    }

    /// <summary>The data directory, recovered. Throws <see cref="StoreException"/> where it is damaged, of another format, or in use.</summary>
    public static NodeStorage Open(NodeOptions options, RequestMemory memory, ILoggerFactory loggers)
    {
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var budget = Budget(options);
        var engine = StorageEngine.Open(
            budget.Apply(new StorageOptions { Directory = options.DataDirectory, LongValueRoom = memory.TryAllocateAnswer }),
            error => failed.TrySetResult(error),
            DiskFiles.Instance,
            TimeProvider.System,
            loggers.CreateLogger<StorageEngine>());
        return new NodeStorage(
            new StoresWithMemory(engine, new MemoryRoom(budget.MemoryBackendBytes)),
            new FileNodeState(DiskFiles.Instance, Path.Combine(Path.GetFullPath(options.DataDirectory), "state")),
            engine.Statistics,
            failed.Task,
            () => DiskFiles.Instance.FreeBytes(options.DataDirectory),
            engine.DisposeAsync);
    }
}
