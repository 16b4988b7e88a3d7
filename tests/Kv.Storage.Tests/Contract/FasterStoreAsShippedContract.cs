using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>The default sizes.</summary>
public sealed class FasterStoreAsShippedContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        TestEngine.Open(new StorageOptions { Directory = directory.Path, MinFreeBytes = 128 * 1024 * 1024 }, runsUpkeep: true);

    private protected override void CleanUp() => directory.Dispose();
}
