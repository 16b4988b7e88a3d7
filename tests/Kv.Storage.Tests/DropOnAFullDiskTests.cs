using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A partition is dropped, or given up, on a disk without a byte free, by a process that has just started and whose log needs another segment for the record of it.</summary>
public sealed class DropOnAFullDiskTests
{
    private const string LogDirectory = "/data/node/log";
    private static readonly PartitionId One = new(1);
    private static readonly StorageOptions Options = TestEngine.Options("/data/node");

    [Fact]
    public async Task WhereASegmentWasMadeReadyBefore_ItIsDone()
    {
        var disk = await WithAFullSegmentAsync();
        Assert.Contains(LogSegment.ReadyName, disk.List(LogDirectory));
        disk.FillUp();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options, disk, failures: failures))
        {
            await (await engine.OpenAsync(One, CancellationToken.None)).DropAsync(CancellationToken.None);
            Assert.Empty(engine.Partitions);
        }

        Assert.Empty(failures);
        await using var again = TestEngine.Open(Options, disk);
        Assert.Empty(again.Partitions);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("half made")]
    [InlineData("begun")]
    [InlineData("unreadable")]
    public async Task WhereNoneIsReady_ItIsRefused_AndDoneWhenThereIsRoom(string ready)
    {
        var disk = await WithAFullSegmentAsync();
        Spoil(disk, ready);
        disk.FillUp();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options with { PrepareLogAhead = false }, disk, failures: failures))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.DropAsync(CancellationToken.None));
            Assert.NotNull(await store.GetAsync("k0"));
            Assert.Empty(failures);
            disk.MakeRoom();
            await store.DropAsync(CancellationToken.None);
            Assert.Empty(engine.Partitions);
        }

        Assert.Empty(failures);
        await using var again = TestEngine.Open(Options, disk);
        Assert.Empty(again.Partitions);
    }

    [Fact]
    public async Task GivingUpADamagedOne_IsRefused_AndDoneWhenThereIsRoom()
    {
        var disk = await WithAFullSegmentAsync();
        disk.Rot("/data/node/stores/p00001-00000000000000000001/checkpoint", 40);
        await using (var noted = TestEngine.Open(Options with { PrepareLogAhead = false }, disk))
        {
            Assert.NotEmpty(noted.Damaged);
        }

        Spoil(disk, "missing");
        disk.FillUp();
        var failures = new List<StoreException>();
        await using var engine = TestEngine.Open(Options, disk, failures: failures);
        await Assert.ThrowsAsync<StoreRefusedException>(async () => await engine.DiscardAsync(One, CancellationToken.None));
        Assert.Equal([One], engine.Damaged.Keys);
        disk.MakeRoom();
        await engine.DiscardAsync(One, CancellationToken.None);
        Assert.Empty(engine.Damaged);
        Assert.Empty(failures);
    }

    private static void Spoil(FaultyFiles disk, string ready)
    {
        var path = $"{LogDirectory}/{LogSegment.ReadyName}";
        switch (ready)
        {
            case "missing":
                disk.Delete(path);
                break;
            case "unreadable":
                disk.BeforeRead = read => _ = read == path ? throw new IOException("Input/output error") : 0;
                break;
            case "half made":
                using (var file = disk.Open(path, Storage.Files.FileOpening.Create))
                {
                    file.Write(0, new byte[4096]);
                }

                break;
            default:
                using (var file = disk.Open(path, Storage.Files.FileOpening.Existing))
                {
                    file.Write(0, "KVLOGSEG"u8);
                }

                break;
        }
    }

    /// <summary>As many groups of the least size as a segment has room for; all is in a checkpoint too.</summary>
    private static async Task<FaultyFiles> WithAFullSegmentAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options, disk))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            for (var number = 0; number < (Options.LogSegmentBytes - LogSegment.HeaderBytes) / LogRecord.GroupAlignment; number++)
            {
                await store.PutAsync($"k{number}", "v");
            }
        }

        Assert.Single(disk.List(LogDirectory), name => name.EndsWith(LogSegment.Suffix, StringComparison.Ordinal));
        return disk;
    }
}
