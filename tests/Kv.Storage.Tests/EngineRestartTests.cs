using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>What a start finds where process and machine died at different moments, or at a moment when the log was behind its stores.</summary>
public sealed class EngineRestartTests
{
    private const int Crashes = 24;

    [Fact]
    public async Task AStoreMadeWhileTheLogIsBehind_IsNoReasonToRefuseTheNextStart()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options(), disk);
        var first = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await first.PutAsync("k", "written without a wait", Durability.Memory);
        await engine.OpenAsync(new PartitionId(2), CancellationToken.None);
        var image = disk.Capture();
        for (var seed = 0; seed < Crashes; seed++)
        {
            await using var next = TestEngine.Open(Options(), image.Settle(seed));
            Assert.True(next.Partitions.Count <= 2);
        }
    }

    [Fact]
    public async Task AnEndOfTheLogThatIsLost_AndThatACheckpointHas_IsReportedWithFileAndOffset()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            await store.PutAsync("first", "v");
            await store.PutAsync("last", "v");
        }

        const string segment = "/data/node/log/00000000000000000001.log";
        using (var file = disk.Open(segment, Storage.Files.FileOpening.Existing))
        {
            file.Write(8192, new byte[4096]);
        }

        for (var start = 0; start < 2; start++)
        {
            var refusal = Assert.Throws<StoreException>(() => TestEngine.Open(Options(), disk));
            Assert.Contains($"{segment} at offset 8192: expected the record with sequence number 2", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ACheckpoint_HoldsNothingThatTheLogCouldLose()
    {
        // Log buffers with room for the write in between, which must not wait for the log's thread: it comes on that very thread.
        var options = Options() with { LogSegmentBytes = 1024 * 1024, LogCapBytes = 4 * 1024 * 1024 };
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(options, disk);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await store.PutAsync("much", Bytes.Pattern(70_000, 1), Durability.Memory);
        var isArmed = true;
        disk.Before = operation =>
        {
            if (isArmed && operation.What == "sync" && operation.Path.EndsWith(".log", StringComparison.Ordinal))
            {
                // The checkpoint waits for the log, and a write comes between that nobody waits for.
                isArmed = false;
                Assert.True(store.PutAsync("between", Bytes.Pattern(30_000, 2), Durability.Memory).IsCompleted);
            }
        };
        await engine.UpkeepOnceAsync();
        Assert.False(isArmed);
        var image = disk.Capture();

        for (var seed = 0; seed < Crashes; seed++)
        {
            // The next write gets the sequence number that the lost one had, and with it the names of its chunks.
            await using var next = TestEngine.Open(options, image.Settle(seed));
            var reopened = await next.OpenAsync(new PartitionId(1), CancellationToken.None);
            await reopened.PutAsync("after", Bytes.Pattern(30_000, 3));
            Assert.True((await reopened.GetAsync("between")) is not { } between || between.Span.SequenceEqual(Bytes.Pattern(30_000, 2)));
            Assert.Equal(Bytes.Pattern(30_000, 3), (await reopened.GetAsync("after"))!.Value.ToArray());
        }
    }

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

    [Fact]
    public async Task OpeningAStore_WhileUpkeepCheckpointsIt_WaitsForTheCheckpoint()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        DiskImage image;
        await using (var engine = TestEngine.Open(Options(), disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var number = 0; number < 30; number++)
            {
                await store.PutAsync($"k{number}", Bytes.Pattern(20_000, number));
            }

            image = disk.Capture();
        }

        var left = image.Settle(1);
        await using var next = TestEngine.Open(Options(), left);
        Task<IPartitionStore>? opening = null;
        left.Before = operation =>
        {
            if (opening is null && operation.Path.Contains("/stores/", StringComparison.Ordinal))
            {
                opening = next.OpenAsync(new PartitionId(1), CancellationToken.None).AsTask();
            }
        };
        await next.UpkeepOnceAsync();
        var opened = await opening!;
        Assert.Equal(Bytes.Pattern(20_000, 29), (await opened.GetAsync("k29"))!.Value.ToArray());
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
