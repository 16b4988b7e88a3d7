using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>The same with checkpoints and compaction all the time, beside the operations.</summary>
public sealed class FasterStoreWithUpkeepContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        TestEngine.Open(TestEngine.Options(directory.Path) with { CheckpointLogBytes = 64 * 1024, CompactionMinBytes = 64 * 1024, CompactionFactor = 1.2 }, runsUpkeep: true);

    private protected override void CleanUp() => directory.Dispose();
}
