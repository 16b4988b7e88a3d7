using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>
/// A partition that nobody opened since the start holds back a log at its cap: upkeep opens it for a checkpoint, and until that is on the disk the log is all that there is of it. As is so of one that was
/// closed, and whose last checkpoint failed.
/// </summary>
public sealed class UpkeepOfClosedStoresTests
{
    private const int Keys = 120;
    private const int ValueBytes = 3000;
    private static readonly PartitionId One = new(1);
    private static readonly PartitionId Two = new(2);
    private static readonly StorageOptions Options = StorageScript.Options("/data/node") with { StoreIndexBytes = 512 * 1024 };

    [Fact]
    public async Task ItsCheckpointFails_AndTheLogStays()
    {
        var disk = await WithALogAtItsCapAsync();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options, disk, failures: failures))
        {
            FailSyncsOfRecords(disk);
            await engine.UpkeepOnceAsync();
        }

        Assert.Single(failures);
        disk.Before = null;
        await AssertAllIsThereAsync(disk);
    }

    /// <summary>A store is closed while upkeep is at another one.</summary>
    [Fact]
    public async Task ItsLastCheckpointFailsDuringUpkeep_AndTheLogStays()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options with { MaxConcurrentCheckpoints = 1 }, disk, failures: failures))
        {
            var other = await engine.OpenAsync(Two, CancellationToken.None);
            await other.PutAsync("first", "v");
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await FillAsync(store);
            disk.BeforeRead = path =>
            {
                if (path == ((FasterPartitionStore)other).Directory)
                {
                    disk.BeforeRead = null;
                    FailSyncsOfRecords(disk);
                    store.DisposeAsync().AsTask().GetAwaiter().GetResult();
                }
            };
            await engine.UpkeepOnceAsync();
            Assert.Null(disk.BeforeRead);
        }

        Assert.Single(failures);
        disk.Before = null;
        await AssertAllIsThereAsync(disk);
    }

    /// <summary>There is no room to replay it; none for its checkpoint behind the replay; none for its index, of whose size only the opening tells.</summary>
    [Theory]
    [InlineData(256 * 1024)]
    [InlineData(1000 * 1024)]
    [InlineData(1500 * 1024)]
    public async Task OnADiskThatIsNearlyFull_ItWaits_AndIsDoneWhenThereIsRoom(long freeBytes)
    {
        var disk = await WithALogAtItsCapAsync();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options, disk, failures: failures))
        {
            disk.FreeBytesLeft = freeBytes;
            var before = LogSegments(disk);
            for (var round = 0; round < 3; round++)
            {
                await engine.UpkeepOnceAsync();
            }

            Assert.Empty(failures);
            Assert.Equal(before, LogSegments(disk));
            Assert.Equal([One], engine.Partitions);
            disk.MakeRoom();
            await engine.UpkeepOnceAsync();
            Assert.True(LogSegments(disk) < before, "the log is as long as before");
        }

        Assert.Empty(failures);
        await AssertAllIsThereAsync(disk);
    }

    private static async Task<FaultyFiles> WithALogAtItsCapAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options, disk);
        await FillAsync(await engine.OpenAsync(One, CancellationToken.None));
        return disk.Capture().Keep();
    }

    private static async Task FillAsync(IPartitionStore store)
    {
        for (var key = 0; key < Keys; key++)
        {
            await store.PutAsync($"key-{key}", Bytes.Pattern(ValueBytes, key));
        }
    }

    private static void FailSyncsOfRecords(FaultyFiles disk) =>
        disk.Before = static operation => _ = operation.What == "sync" && operation.Path.Contains("/records.", StringComparison.Ordinal) ? throw new IOException("Input/output error") : 0;

    private static int LogSegments(FaultyFiles disk) => disk.List("/data/node/log").Count(static name => name.EndsWith(LogSegment.Suffix, StringComparison.Ordinal));

    private static async Task AssertAllIsThereAsync(FaultyFiles disk)
    {
        await using var engine = TestEngine.Open(Options, disk);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        for (var key = 0; key < Keys; key++)
        {
            Assert.True((await store.GetAsync($"key-{key}")) is { } value && value.Span.SequenceEqual(Bytes.Pattern(ValueBytes, key)), $"key-{key} is not as it was written");
        }
    }
}
