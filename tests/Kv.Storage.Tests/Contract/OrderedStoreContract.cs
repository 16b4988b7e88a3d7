using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>Small sizes, all keys ordered.</summary>
public sealed class OrderedStoreContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        new BackedStores(TestEngine.Open(TestEngine.Options(directory.Path), runsUpkeep: false), BackedStores.Ordered);

    private protected override void CleanUp() => directory.Dispose();
}
