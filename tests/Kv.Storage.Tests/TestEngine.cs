using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Tests;

/// <summary>Engines with sizes that make little data behave like much: small pages, tiny memory, small segments.</summary>
internal static class TestEngine
{
    public static StorageOptions Options(string directory) => new()
    {
        Directory = directory,
        LogSegmentBytes = 1024 * 1024,
        LogCapBytes = 8 * 1024 * 1024,
        PageBytes = 16 * 1024,
        StoreMemoryBytes = 64 * 1024,
        StoreIndexBytes = 16 * 1024,
        StoreSegmentBytes = 128 * 1024,
        CompactionMinBytes = 256 * 1024,
        CheckpointLogBytes = 256 * 1024,
        MinFreeBytes = 2 * 1024 * 1024,
        MaintenanceIntervalMilliseconds = 20,
        MaxValueBytes = 8 * 1024 * 1024,
    };

    public static StorageEngine Open(StorageOptions options, IStorageFiles? files = null, bool runsUpkeep = false, List<StoreException>? failures = null) =>
        StorageEngine.Open(options, error => failures?.Add(error), files, runsUpkeep: runsUpkeep);
}
