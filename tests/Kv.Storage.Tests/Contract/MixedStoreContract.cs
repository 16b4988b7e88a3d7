using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>Half of the keys ordered and half by hash, with checkpoints and compaction beside the operations.</summary>
public sealed class MixedStoreContract : StoreContract
{
    private readonly TemporaryDirectory directory = new();

    private protected override IPartitionStores OpenStores() =>
        new BackedStores(TestEngine.Open(TestEngine.Options(directory.Path) with { CheckpointLogBytes = 64 * 1024, CompactionMinBytes = 64 * 1024, CompactionFactor = 1.2 }, runsUpkeep: true), BackedStores.Mixed);

    private protected override void CleanUp() => directory.Dispose();
}
