using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Ordered;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A disk without room for RocksDB's own files, which it opens itself: writes are refused, all is read, no node ends, and it goes on when there is room.</summary>
public sealed class OrderedOnAFullDiskTests : IDisposable
{
    private const int DiskMebibytes = 96;
    private const int ValueBytes = 4000;
    private static readonly PartitionId One = new(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly SmallDisk disk = new(DiskMebibytes);
    private readonly List<StoreException> failures = [];
    private readonly SortedDictionary<string, byte[]> written = new(StringComparer.Ordinal);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Writes go on for a while on a log that has room at hand, though the disk has none.
    private StorageOptions Options => TestEngine.Options(Path.Combine(disk.Path, "node")) with
    {
        LogSegmentBytes = 8 * 1024 * 1024,
        LogCapBytes = 64 * 1024 * 1024,
        MinFreeBytes = 16 * 1024 * 1024,
        StoreMemoryBytes = 4 * 1024 * 1024,
        OrderedBytes = 1024 * 1024,
    };

    public void Dispose() => disk.Dispose();

    [Fact]
    public async Task WhereItGetsFull_WritesAreRefused_AllIsRead_AndItGoesOnWithoutARestart()
    {
        await using (var engine = Open())
        {
            var store = await OpenAsync(engine);
            await WriteAsync(store, 100);
            await engine.UpkeepOnceAsync();
            disk.Fill();
            var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => WriteAsync(store, 3000));
            Assert.Contains("No space left on device", refused.Message, StringComparison.Ordinal);
            await engine.UpkeepOnceAsync();
            await AssertAllIsThereAsync(store);
            disk.MakeRoom();
            await WriteWhenTakenAsync(engine, store);
            await AssertAllIsThereAsync(store);
        }

        await AssertAStartFindsAllAsync();
    }

    /// <summary>RocksDB writes files of its own when it opens; so much as there is free at each size it comes to another of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhereAStartFindsItFull_AllIsRead_AndItGoesOnWithoutARestart(bool isAfterACrash)
    {
        await WriteOnAnEmptyDiskAsync(isAfterACrash);
        var isOpenToRead = 0;
        for (var free = 0; free <= 20 * 4096; free += 4096)
        {
            disk.Fill(free);
            await using var engine = Open();
            var store = await OpenAsync(engine);
            await AssertAllIsThereAsync(store);
            isOpenToRead += await IsRefusedAsync(store) ? 1 : 0;
            await engine.UpkeepOnceAsync();
            await AssertAllIsThereAsync(store);
            disk.MakeRoom();
            await engine.UpkeepOnceAsync();
            await WriteAsync(store, 1);
            await AssertAllIsThereAsync(store);
            Assert.Empty(failures);
        }

        Assert.NotEqual(0, isOpenToRead);
        await AssertAStartFindsAllAsync();
    }

    /// <summary>However much there is to replay: what waits is tried again when twice as much does, not with each record.</summary>
    [Fact]
    public async Task AStartThatFindsItFull_TriesAgainSeldom()
    {
        using var elsewhere = new TemporaryDirectory();
        var options = Options with { Directory = elsewhere.Path, StoreMemoryBytes = 64 * 1024 * 1024 };
        await using (var engine = TestEngine.Open(options, failures: failures))
        {
            var store = (FasterPartitionStore)await engine.OpenAsync(One, Cancel);
            var backed = BackedStores.Over(store, BackedStores.Ordered);
            await WriteAsync(backed, 1);
            await store.CheckpointAsync();
            await WriteAsync(backed, 3000);
            await CopyAsync(options.Directory, Options.Directory);
        }

        disk.Fill();
        var files = new CountingFiles();
        await using (var engine = TestEngine.Open(options with { Directory = Options.Directory }, files, failures: failures))
        {
            var before = files.LooksAtTheRoom;
            var store = await OpenAsync(engine);
            Assert.InRange(files.LooksAtTheRoom - before, 0, 20);
            await AssertAllIsThereAsync(store);
            disk.MakeRoom();
            await engine.UpkeepOnceAsync();
        }

        await AssertAStartFindsAllAsync();
    }

    [Fact]
    public async Task ACheckpointThatFindsItFull_CostsNoKeysBySegment()
    {
        await using (var engine = Open())
        {
            var store = (FasterPartitionStore)await engine.OpenAsync(One, Cancel);
            var backed = BackedStores.Over(store, BackedStores.Ordered);
            await WriteAsync(backed, 300);
            disk.Fill();
            await store.CheckpointAsync();
            Assert.False(store.HasRoomForUpkeep());
            disk.MakeRoom();
            await UntilAsync(async () =>
            {
                await engine.UpkeepOnceAsync();
                return !store.IsCheckpointDue();
            });
            await store.AssertSegmentsAreOfAsync(written.Keys);
        }

        await using var again = Open();
        var anew = await again.OpenAsync(One, Cancel);
        Assert.True(anew.HasSegments);
        await anew.AssertSegmentsAreOfAsync(written.Keys);
    }

    /// <summary>A process that ends on a full disk, whatever RocksDB was at: the next one finds all that was acknowledged.</summary>
    [Fact]
    public async Task WhatAnEndOnAFullDiskLeaves_IsWhole()
    {
        using var left = new TemporaryDirectory();
        for (var free = 0; free <= 3 * 262144; free += 262144)
        {
            await using (var engine = Open())
            {
                var store = await OpenAsync(engine);
                disk.Fill(free);
                await Assert.ThrowsAsync<StoreRefusedException>(() => WriteAsync(store, 3000));
                await CopyAsync(Options.Directory, Path.Combine(left.Path, $"{free}"));
                disk.MakeRoom();
                await WriteWhenTakenAsync(engine, store);
                await store.DropAsync(Cancel);
            }

            Assert.Empty(failures);
            await using var after = TestEngine.Open(Options with { Directory = Path.Combine(left.Path, $"{free}") }, failures: failures);
            written.Remove(LastKey);
            await AssertAllIsThereAsync(await OpenAsync(after));
            written.Clear();
        }
    }

    [Fact]
    public async Task AFlushThatFindsNoRoom_IsTriedAgain()
    {
        using var engine = new OrderedEngine(64 * 1024 * 1024);
        var told = new List<string>();
        using var records = new OrderedRecords(DiskFiles.Instance, () => engine, disk.Path, null, 0, new OrderedValue(ValueBytes, static length => new byte[length]), told.Add);
        records.Put(Bytes.Of("k"), Bytes.Pattern(1024 * 1024, 1));
        records.End(1);
        records.Settle(1);
        disk.Fill();
        Assert.Throws<OrderedFullException>(() => records.Flush(1));
        Assert.Contains("No space left on device", Assert.Single(told), StringComparison.Ordinal);
        records.Put(Bytes.Of("l"), Bytes.Of("late"));
        records.End(2);
        records.Settle(2);
        Assert.NotEqual(0, records.WaitingBytes);
        Assert.Equal(["k", "l"], records.Scan(new StoreScan(ScanSpace.Records, default, default, 10, int.MaxValue)).Entries.Select(entry => Bytes.Text(entry.Key)));
        disk.MakeRoom();
        await UntilAsync(() =>
        {
            records.Settle(2);
            return Task.FromResult(records.WhyFull is null);
        });
        Assert.Equal(0, records.WaitingBytes);
        Assert.NotNull(records.Flush(2));
        Assert.Single(told);
    }

    /// <summary>Small files go on fitting in, and what they are to be merged to does not: RocksDB takes no more of them at last, and would wait for room.</summary>
    [Fact]
    public async Task FilesThatCannotBeMerged_StopWrites_AndNothingWaitsForRoom()
    {
        using var engine = new OrderedEngine(64 * 1024 * 1024);
        var told = new List<string>();
        var records = new OrderedRecords(DiskFiles.Instance, () => engine, disk.Path, null, 0, new OrderedValue(ValueBytes, static length => new byte[length]), told.Add);
        var random = new Random(1);
        var batches = 0;
        await Task.Run(() => Write(Enumerable.Range(0, 3000)), Cancel).WaitAsync(Patience, Cancel);
        disk.Fill(1024 * 1024);
        for (var round = 0; round < 60; round++)
        {
            // What a merge wrote until there was no room is deleted again.
            await UntilAsync(() => Task.FromResult(disk.FreeBytes > 256 * 1024));
            await Task.Run(() => Write([0, 2999]), Cancel).WaitAsync(Patience, Cancel);
        }

        Assert.Contains("No space left on device", records.WhyFull, StringComparison.Ordinal);
        Assert.Single(told);
        var (entries, _) = records.Scan(new StoreScan(ScanSpace.Records, default, default, int.MaxValue, int.MaxValue));
        Assert.Equal(written, entries.ToDictionary(entry => Bytes.Text(entry.Key), entry => entry.Value!.Value.ToArray()));
        disk.MakeRoom();
        await UntilAsync(() =>
        {
            records.Settle(batches);
            return Task.FromResult(records.WhyFull is null);
        });
        Assert.Equal(0, records.WaitingBytes);
        Assert.NotNull(records.Flush(batches));

        // Not where the test has failed: it might stand still.
        records.Dispose();

        void Write(IEnumerable<int> keys)
        {
            foreach (var key in keys)
            {
                var value = new byte[ValueBytes];
                random.NextBytes(value);
                records.Put(Bytes.Of($"key-{key:D5}"), value);
                written[$"key-{key:D5}"] = value;
            }

            records.End(++batches);
            try
            {
                records.Flush(batches);
            }
            catch (OrderedFullException)
            {
                // Now and then a merge has just taken what is left.
            }
        }
    }

    private static string LastKey => "~last";

    private static ValueTask<IPartitionStore> OpenAsync(StorageEngine engine) => new BackedStores(engine, BackedStores.Ordered).OpenAsync(One, Cancel);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await holds())
        {
            await Task.Delay(50, patience.Token);
        }
    }

    /// <summary>RocksDB tries again by itself, compacts, and deletes what it could not write or needs no more.</summary>
    private static Task CopyAsync(string from, string to) => UntilAsync(() =>
    {
        try
        {
            OrderedRecordsTests.Copy(from, to);
            return Task.FromResult(true);
        }
        catch (FileNotFoundException)
        {
            Directory.Delete(to, recursive: true);
            return Task.FromResult(false);
        }
    });

    private StorageEngine Open() => TestEngine.Open(Options, failures: failures);

    private async Task WriteAsync(IPartitionStore store, int keys)
    {
        for (var count = 0; count < keys; count++)
        {
            var (key, value) = ($"key-{written.Count:D5}", Bytes.Pattern(ValueBytes, written.Count));
            await store.PutAsync(key, value);
            written.Add(key, value);
        }
    }

    private async Task WriteOnAnEmptyDiskAsync(bool isAfterACrash)
    {
        using var elsewhere = new TemporaryDirectory();
        var options = isAfterACrash ? Options with { Directory = elsewhere.Path } : Options;
        await using (var engine = TestEngine.Open(options, failures: failures))
        {
            var store = await OpenAsync(engine);
            await WriteAsync(store, 40);
            if (isAfterACrash)
            {
                await engine.UpkeepOnceAsync();
                await WriteAsync(store, 5);
                await CopyAsync(options.Directory, Options.Directory);
            }
        }
    }

    private async Task<bool> IsRefusedAsync(IPartitionStore store)
    {
        try
        {
            await WriteAsync(store, 1);
            return false;
        }
        catch (StoreRefusedException)
        {
            return true;
        }
    }

    private async Task WriteWhenTakenAsync(StorageEngine engine, IPartitionStore store)
    {
        await UntilAsync(async () =>
        {
            await engine.UpkeepOnceAsync();
            try
            {
                await store.PutAsync(LastKey, "v");
                written[LastKey] = Bytes.Of("v").ToArray();
                return true;
            }
            catch (StoreRefusedException)
            {
                return false;
            }
        });
    }

    private async Task AssertAllIsThereAsync(IPartitionStore store)
    {
        Assert.Equal(written.Keys, await store.ScanAllAsync(ScanSpace.Records, "", "", page: 7));
        Assert.Equal(written.Values, (await store.FoldAllAsync()).Values);
        Assert.Equal(written.Count, store.ApproximateCount);
        foreach (var (key, value) in written)
        {
            Assert.Equal(value, (await store.GetAsync(key))!.Value.ToArray());
        }
    }

    private async Task AssertAStartFindsAllAsync()
    {
        Assert.Empty(failures);
        await using var again = Open();
        await AssertAllIsThereAsync(await OpenAsync(again));
        Assert.Empty(again.Damaged);
    }
}
