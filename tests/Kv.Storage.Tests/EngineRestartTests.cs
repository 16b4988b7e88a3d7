using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>What a start finds where process and machine died at different moments, or at a moment when the log was behind its stores.</summary>
public sealed class EngineRestartTests
{
    private const int Crashes = 24;

    [Fact]
    public async Task TheLogsEndThatAStartFound_IsOnDiskBeforeAnythingIsBuiltOnIt()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            await store.PutAsync("k", "synced");
            disk.Before = operation =>
            {
                if (operation.What == "sync")
                {
                    throw new IOException("the process dies between write and sync");
                }
            };
            await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("k", "in the system's memory"));
        }

        disk.Before = null;
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            Assert.Equal("in the system's memory", Bytes.Text((await store.GetAsync("k"))!.Value));
        }

        // Only now does the machine die: what was read, and what the last checkpoint covers, is still there.
        var image = disk.Capture();
        for (var seed = 0; seed < Crashes; seed++)
        {
            await using var next = TestEngine.Open(Options(), image.Settle(seed));
            var store = await next.OpenAsync(new PartitionId(1), CancellationToken.None);
            Assert.Equal("in the system's memory", Bytes.Text((await store.GetAsync("k"))!.Value));
        }
    }

    private static StorageOptions Options() => TestEngine.Options("/data/node") with
    {
        PrepareLogAhead = false,
        LogSegmentBytes = 64 * 1024,
        LogCapBytes = 256 * 1024,
        CheckpointLogBytes = 64 * 1024,
        LogIntervalMilliseconds = 60_000,
        StoreMemoryBytes = 4 * 1024 * 1024,
    };
}
