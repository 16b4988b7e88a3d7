using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

public sealed class StorageEngineTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Overwriting_ManyTimesTheData_KeepsTheDiskBounded_OverRestartsToo()
    {
        const int keys = 200;
        const int valueBytes = 2000;
        var options = TestEngine.Options(directory.Path);
        for (var start = 0; start < 2; start++)
        {
            await using var engine = TestEngine.Open(options);
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var round = 0; round < 20; round++)
            {
                for (var key = 0; key < keys; key++)
                {
                    await store.PutAsync($"key-{key}", Bytes.Pattern(valueBytes + (round % 7), key), Durability.Memory);
                }

                await engine.UpkeepOnceAsync();
            }

            Assert.Equal(keys, store.ApproximateCount);
        }

        // 16 MB were written; live are 0.4 MB. The bound: the log's cap, the store at twice its live data or its least, a slice being moved, one segment.
        var bytes = Directory.EnumerateFiles(Path.Combine(directory.Path, "stores"), "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);
        Assert.InRange(bytes, 1, 2 * 1024 * 1024);
        var log = Directory.EnumerateFiles(Path.Combine(directory.Path, "log")).Sum(path => new FileInfo(path).Length);
        Assert.InRange(log, 1, options.LogCapBytes);
    }

    [Fact]
    public async Task ASecondEngineOnTheDirectory_IsRefused()
    {
        await using var engine = TestEngine.Open(TestEngine.Options(directory.Path));
        var refusal = Assert.Throws<StoreException>(() => TestEngine.Open(TestEngine.Options(directory.Path)));
        Assert.Contains("another node", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void InvalidOptions_AreRefusedWithEveryProblemAtOnce()
    {
        var options = TestEngine.Options(directory.Path) with { PageBytes = 5000, CompactionFactor = 1, MaxConcurrentCheckpoints = 0 };
        var refusal = Assert.Throws<ArgumentException>(() => TestEngine.Open(options)).Message;
        Assert.Contains("PageBytes", refusal, StringComparison.Ordinal);
        Assert.Contains("CompactionFactor", refusal, StringComparison.Ordinal);
        Assert.Contains("MaxConcurrentCheckpoints", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANearlyFullDisk_RefusesWrites_AndTakesThemAgainWhenThereIsRoom()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await store.PutAsync("k", "before");
        disk.FreeBytesLeft = 1024;
        await engine.UpkeepOnceAsync();
        var refusal = await Assert.ThrowsAsync<StoreRefusedException>(() => store.PutAsync("k", "during"));
        Assert.Contains("nearly full", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("before", await store.GetTextAsync("k"));
        disk.FreeBytesLeft = 1L << 40;
        await engine.UpkeepOnceAsync();
        await store.PutAsync("k", "after");
        Assert.Equal("after", await store.GetTextAsync("k"));
        Assert.Equal(1, engine.Statistics.Refusals);
    }

    /// <summary>What a membership plan is measured by: below what is reserved, writes are refused.</summary>
    [Fact]
    public async Task Space_IsWhatIsFreeNow_WhatTheFilesTake_AndWhatHasToStayFree()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var options = TestEngine.Options("/data/node");
        await using var engine = TestEngine.Open(options, disk);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await store.PutAsync("k", new string('v', 10_000));
        await engine.UpkeepOnceAsync();
        disk.FreeBytesLeft = 7L << 30;
        var space = engine.Space;
        Assert.Equal((7L << 30, engine.Statistics.LogBytes + engine.Statistics.StoreBytes), (space.FreeBytes, space.UsedBytes));
        Assert.InRange(space.UsedBytes, 10_000, 64L << 20);

        disk.FreeBytesLeft = space.ReservedBytes - 1;
        await engine.UpkeepOnceAsync();
        await Assert.ThrowsAsync<StoreRefusedException>(() => store.PutAsync("k", "v"));
        disk.FreeBytesLeft = space.ReservedBytes + (1L << 20);
        await engine.UpkeepOnceAsync();
        await store.PutAsync("k", "v");
        Assert.InRange(space.ReservedBytes, options.MinFreeBytes, 64L << 20);
    }

    [Fact]
    public async Task AFullDisk_IsOpenedAndRead_RefusesWrites_AndTakesThemAgainWhenThereIsRoom()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var options = TestEngine.Options("/data/node");
        DiskImage died;
        await using (var engine = TestEngine.Open(options, disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var number = 0; number < 20; number++)
            {
                await store.PutAsync($"k{number}", Bytes.Pattern(20_000, number));
            }

            await engine.UpkeepOnceAsync();
            await store.PutAsync("k19", "in the log alone");
            died = disk.Capture();
        }

        disk = died.Settle(1);
        disk.FillUp();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(options with { CheckpointIntervalSeconds = 1 }, disk, failures: failures))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var round = 0; round < 5; round++)
            {
                await engine.UpkeepOnceAsync();
            }

            await Assert.ThrowsAsync<StoreRefusedException>(() => store.PutAsync("k1", "no room"));
            Assert.Equal(Bytes.Pattern(20_000, 7), (await store.GetAsync("k7"))!.Value.ToArray());
            Assert.Empty(failures);
        }

        // The stop took no checkpoint, and lost nothing.
        await using (var engine = TestEngine.Open(options, disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            Assert.Equal("in the log alone", await store.GetTextAsync("k19"));
            disk.MakeRoom();
            await engine.UpkeepOnceAsync();
            await store.PutAsync("k1", "room");
        }

        await using var last = TestEngine.Open(options, disk);
        Assert.Equal("room", await (await last.OpenAsync(new PartitionId(1), CancellationToken.None)).GetTextAsync("k1"));
    }

    [Fact]
    public async Task AFullDisk_WithMoreToReplayThanFitsInMemory_RefusesToStartInWords()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        DiskImage died;
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var number = 0; number < 20; number++)
            {
                await store.PutAsync($"k{number}", Bytes.Pattern(20_000, number));
            }

            died = disk.Capture();
        }

        disk = died.Settle(1);
        disk.FillUp();
        await using (var full = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            var refusal = await Assert.ThrowsAsync<StoreException>(async () => await full.OpenAsync(new PartitionId(1), CancellationToken.None));
            Assert.Contains("Make room and start again", refusal.Message, StringComparison.Ordinal);
        }

        disk.MakeRoom();
        await using var next = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        Assert.Equal(Bytes.Pattern(20_000, 19), (await (await next.OpenAsync(new PartitionId(1), CancellationToken.None)).GetAsync("k19"))!.Value.ToArray());
    }

    [Fact]
    public async Task AStoreThatThereIsNoRoomFor_IsRefused_AndMadeLater()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var failures = new List<StoreException>();
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk, failures: failures);
        disk.FillUp();
        await engine.UpkeepOnceAsync();
        disk.Before = operation =>
        {
            if (operation.What == "mkdir")
            {
                throw new IOException("No space left on device.");
            }
        };
        await Assert.ThrowsAsync<StoreRefusedException>(async () => await engine.OpenAsync(new PartitionId(1), CancellationToken.None));
        disk.Before = null;
        disk.MakeRoom();
        await engine.UpkeepOnceAsync();
        await (await engine.OpenAsync(new PartitionId(1), CancellationToken.None)).PutAsync("k", "v");
        Assert.Empty(failures);
    }

    [Fact]
    public async Task AFailedSync_FailsTheEngineForGood()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var failures = new List<StoreException>();
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk, failures: failures);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await store.PutAsync("k", "v");
        disk.Before = operation =>
        {
            if (operation.What == "sync")
            {
                throw new IOException("broken");
            }
        };
        await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("k", "w"));
        disk.Before = null;
        await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("k", "x"));
        await Assert.ThrowsAsync<StoreException>(() => store.GetAsync("k"));
        Assert.NotNull(engine.Failure);
        Assert.Single(failures);
    }

    [Theory]
    [InlineData("engine")]
    [InlineData("log/manifest")]
    [InlineData("stores/p00001-00000000000000000001/checkpoint")]
    public async Task AnUnknownFormatVersion_OfAnyDurableFile_IsRefusedWithTheNumber(string file)
    {
        var disk = await WrittenAsync();
        disk.Rot("/data/node/" + file, 12, flip: 0x40);
        var refusal = Assert.Throws<StoreException>(() => TestEngine.Open(TestEngine.Options("/data/node"), disk));
        Assert.Contains("format version 65", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALostLog_IsRefused()
    {
        var disk = await WrittenAsync();
        disk.DeleteDirectory("/data/node/log");
        var refusal = Assert.Throws<StoreException>(() => TestEngine.Open(TestEngine.Options("/data/node"), disk));
        Assert.Contains("log is gone", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rot_InAStoresRecords_IsFoundWhenTheyAreRead()
    {
        var disk = await WrittenAsync();
        var records = "/data/node/stores/p00001-00000000000000000001/" + StoreLog.FileName + ".0";
        disk.Rot(records, 64 + 200);
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        await Assert.ThrowsAsync<StoreDamagedException>(async () =>
        {
            var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
            for (var key = 0; key < 50; key++)
            {
                await store.GetAsync($"key-{key}");
            }
        });
    }

    [Fact]
    public async Task AColdStore_DoesNotHoldTheLogForEver()
    {
        var options = TestEngine.Options(directory.Path) with { LogCapBytes = 4 * 1024 * 1024, CheckpointLogBytes = 1L << 30 };
        await using var engine = TestEngine.Open(options);
        var cold = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        await cold.PutAsync("k", "written once");
        var hot = await engine.OpenAsync(new PartitionId(2), CancellationToken.None);
        for (var index = 0; index < 10_000; index++)
        {
            await hot.PutAsync($"key-{index % 50}", Bytes.Pattern(1000, index), Durability.Memory);
            if (index % 500 == 0)
            {
                await engine.UpkeepOnceAsync();
            }
        }

        await engine.UpkeepOnceAsync();
        await engine.UpkeepOnceAsync();
        Assert.InRange(engine.Statistics.LogBytes, 1, 2 * options.LogCapBytes);
        Assert.True(engine.Statistics.Checkpoints >= 2);
    }

    [Fact]
    public async Task OnASmallDisk_TheLogGivesItsBytesBack_BeforeWritesAreRefused()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var options = TestEngine.Options("/data/node") with { LogCapBytes = 64 * 1024 * 1024, CheckpointLogBytes = 1L << 30 };
        const long capacity = 12L << 20;
        await using var engine = TestEngine.Open(options, disk);
        var stores = new[] { await engine.OpenAsync(new PartitionId(1), CancellationToken.None), await engine.OpenAsync(new PartitionId(2), CancellationToken.None) };
        for (var index = 0; index < 20_000; index++)
        {
            await stores[index % 2].PutAsync($"key-{index % 50}", Bytes.Pattern(1000, index), Durability.Memory);
            if (index % 200 == 0)
            {
                disk.FreeBytesLeft = capacity - disk.UsedBytes();
                await engine.UpkeepOnceAsync();
            }
        }

        Assert.Equal(0, engine.Statistics.Refusals);
        Assert.InRange(engine.Statistics.LogBytes, 1, capacity - options.MinFreeBytes);
    }

    [Fact]
    public async Task NewKeysInMemory_AreBounded_OverAllStores()
    {
        var options = TestEngine.Options(directory.Path) with { KeyDeltaBytes = 128 * 1024, CheckpointLogBytes = 1L << 30, LogCapBytes = 1L << 30, PageBytes = 64 * 1024, StoreMemoryBytes = 4 << 20 };
        await using var engine = TestEngine.Open(options);
        var stores = new List<IPartitionStore>();
        for (var partition = 1; partition <= 4; partition++)
        {
            stores.Add(await engine.OpenAsync(new PartitionId(partition), CancellationToken.None));
        }

        for (var round = 0; round < 20; round++)
        {
            for (var key = 0; key < 500; key++)
            {
                await stores[(round + key) % 4].PutAsync($"key-{round}-{key}", "v", Durability.Memory);
            }

            await engine.UpkeepOnceAsync();
            Assert.InRange(stores.Sum(store => ((FasterPartitionStore)store).KeyDeltaBytes), 0, options.KeyDeltaBytes);
        }

        Assert.True(engine.Statistics.Checkpoints >= 4);
    }

    [Fact]
    public void TheMemoryBudget_FitsItsLimit_AndSaysSoInALine()
    {
        var budget = MemoryBudget.For(8L << 30, stores: 64);
        Assert.True(budget.Fits);
        Assert.Equal(64L << 20, budget.StoreMemoryBytes);
        Assert.Contains("64 stores", budget.ToString(), StringComparison.Ordinal);
        Assert.Empty(budget.Apply(TestEngine.Options(directory.Path) with { CompactionMinBytes = 16 << 20, StoreSegmentBytes = 32 << 20 }).Problems());
        Assert.InRange(budget.HeapBytes, 1, 6L << 30);
        Assert.Equal(64L << 20, budget.KeyDeltaBytes);
        var small = MemoryBudget.For(256L << 20, stores: 64);
        Assert.False(small.Fits);
        Assert.Contains("too little", small.ToString(), StringComparison.Ordinal);
    }

    private static async Task<FaultyFiles> WrittenAsync(bool trims = false)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        var store = await engine.OpenAsync(new PartitionId(1), CancellationToken.None);
        for (var index = 0; index < (trims ? 3000 : 50); index++)
        {
            await store.PutAsync($"key-{index}", Bytes.Pattern(500, index), Durability.Memory);
        }

        return disk;
    }
}
