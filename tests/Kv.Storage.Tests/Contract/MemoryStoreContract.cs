using Kv.Core.Stores;
using Kv.Storage.Memory;

namespace Kv.Storage.Tests.Contract;

public sealed class MemoryStoreContract : StoreContract
{
    private readonly MemoryPartitionStores stores = new();

    private protected override IPartitionStores OpenStores() => stores;
}
