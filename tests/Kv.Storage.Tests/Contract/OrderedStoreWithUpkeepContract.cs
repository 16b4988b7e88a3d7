using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>All keys ordered, with checkpoints all the time beside the operations.</summary>
public sealed class OrderedStoreWithUpkeepContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        new BackedStores(TestEngine.Open(TestEngine.Options(directory.Path) with { CheckpointLogBytes = 64 * 1024 }, runsUpkeep: true), BackedStores.Ordered);

    private protected override void CleanUp() => directory.Dispose();
}
