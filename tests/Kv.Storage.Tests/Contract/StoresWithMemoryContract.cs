using Kv.Core.Stores;
using Kv.Storage.Memory;

namespace Kv.Storage.Tests.Contract;

/// <summary>An engine as a node has it, with room for keys in memory that nobody uses: it is the engine still.</summary>
public sealed class StoresWithMemoryContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        new BackedStores(new StoresWithMemory(TestEngine.Open(TestEngine.Options(directory.Path)), new MemoryRoom(1024)), BackedStores.Mixed);

    private protected override void CleanUp() => directory.Dispose();
}
