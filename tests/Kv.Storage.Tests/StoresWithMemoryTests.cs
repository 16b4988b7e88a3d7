using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Memory;

namespace Kv.Storage.Tests;

/// <summary>Keys in memory beside an engine's: one store to its vnode, and two lives.</summary>
public sealed class StoresWithMemoryTests : IDisposable
{
    private const int RoomBytes = 1024 * 1024;
    private static readonly PartitionId One = new(1);
    private static readonly TreeRange Volatile = new(new PartitionId(5), 3, IsVolatile: true);
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Keys_AreReadFoldedAndFound_WhereverTheyLie()
    {
        await using var stores = Open();
        var store = await stores.OpenAsync(One, CancellationToken.None);
        var backed = BackedStores.Over(store, Backend);
        var expected = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var random = new Random(7);
        for (var step = 0; step < 400; step++)
        {
            var key = $"{"hmo"[random.Next(3)]}{random.Next(40)}";
            if (random.Next(3) == 0)
            {
                await backed.RemoveAsync(key);
                expected.Remove(key);
            }
            else
            {
                expected[key] = Bytes.Pattern(random.Next(200), step).ToArray();
                await backed.PutAsync(key, expected[key], Durability.Memory);
            }

            Assert.Equal(expected.GetValueOrDefault(key), (await backed.GetAsync(key))?.ToArray());
            Assert.Equal(expected.Count, store.ApproximateCount);
        }

        Assert.Equal(expected.ToDictionary(pair => Convert.ToHexString(Bytes.Of(pair.Key).Span), pair => pair.Value), await backed.FoldAllAsync());
        await store.AssertSegmentsAreOfAsync(expected.Keys);
        var memory = expected.Where(pair => pair.Key[0] == 'm').Sum(pair => pair.Key.Length + pair.Value.Length + MemoryRoom.RecordOverhead);
        Assert.Equal(RoomBytes - memory, store.MemoryRoom);
    }

    [Fact]
    public async Task ARestart_LeavesWhatIsOnDisk_AndItsTrees()
    {
        await using (var stores = Open())
        {
            var store = await stores.OpenAsync(One, CancellationToken.None);
            Assert.False(store.WillForget);
            await store.PutTrackedAsync("h", Bytes.Of("v"));
            await PutVolatileAsync(store, "m", "v");
            Assert.True(store.WillForget);
            Assert.NotEqual(0u, store.Trees.Find(Volatile)!.Root);
            await store.DisposeAsync();
        }

        await using var again = Open();
        var reopened = await again.OpenAsync(One, CancellationToken.None);
        Assert.Equal("v", await reopened.GetTextAsync("h"));
        Assert.Null(await BackedStores.Over(reopened, Backend).GetAsync("m"));
        Assert.Null(reopened.Trees.Find(Volatile));
        reopened.AssertTreeIsOf([new("h", Bytes.Of("v").ToArray())]);
        Assert.False(reopened.WillForget);
        Assert.Equal(RoomBytes, reopened.MemoryRoom);
    }

    [Fact]
    public async Task WhatIsInMemory_LeavesNoTraceInTheLog()
    {
        await using var engine = TestEngine.Open(TestEngine.Options(directory.Path));
        await using var stores = new StoresWithMemory(engine, new MemoryRoom(RoomBytes));
        var store = await stores.OpenAsync(One, CancellationToken.None);
        var before = File.ReadAllBytes(Directory.GetFiles(Path.Combine(directory.Path, "log"), "*.log").Order().First());
        for (var index = 0; index < 100; index++)
        {
            await PutVolatileAsync(store, $"m{index}", "in memory alone");
        }

        Assert.Equal(before, File.ReadAllBytes(Directory.GetFiles(Path.Combine(directory.Path, "log"), "*.log").Order().First()));
    }

    [Fact]
    public async Task AKeyWrittenByHash_BeforeItsTypeWasKnown_IsMovedByTheNextWrite()
    {
        await using var stores = Open();
        var store = await stores.OpenAsync(One, CancellationToken.None);
        await store.PutAsync("m", "by hash");
        var read = new ReadBatch();
        read.Add(Bytes.Of("m"), StoreBackend.Memory);
        await store.ReadAsync(read, CancellationToken.None);
        Assert.True(read.IsMisplaced(0));
        Assert.Equal("by hash", Bytes.Text(read.Value(0)!.Value));
        await PutVolatileAsync(store, "m", "in memory", isMisplaced: true);
        Assert.Equal(1, store.ApproximateCount);
        Assert.Null(await store.GetAsync("m"));
        Assert.Equal("in memory", await BackedStores.Over(store, Backend).GetTextAsync("m"));
    }

    [Fact]
    public async Task AFold_MissesNoKeyThatMovesMeanwhile_AndBeginsOnDisk()
    {
        await using var stores = Open();
        var store = await stores.OpenAsync(One, CancellationToken.None);
        await store.PutAsync("h", "on disk");
        await store.PutAsync("m", "by hash");
        await PutVolatileAsync(store, "m0", "in memory");
        var seen = new List<string>();
        await foreach (var entry in store.FoldAsync(CancellationToken.None))
        {
            seen.Add(Bytes.Text(entry.Key));
            if (seen.Count == 1)
            {
                await BackedStores.Over(store, Backend).GetAsync("m");
                await PutVolatileAsync(store, "m", "in memory", isMisplaced: true);
            }
        }

        Assert.Equal("h", seen[0]);
        Assert.Contains("m", seen);
        Assert.Equal("m0", seen.Order().Last());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ADropAndAClose_GiveTheRoomBack(bool isDropped)
    {
        var room = new MemoryRoom(RoomBytes);
        await using var stores = new StoresWithMemory(new MemoryPartitionStores(), room);
        var store = await stores.OpenAsync(One, CancellationToken.None);
        await PutVolatileAsync(store, "m", "v");
        Assert.Equal(2 + MemoryRoom.RecordOverhead, room.Used);
        await (isDropped ? store.DropAsync(CancellationToken.None) : store.DisposeAsync());
        Assert.Equal(0, room.Used);
        var reopened = await stores.OpenAsync(One, CancellationToken.None);
        Assert.Null(await BackedStores.Over(reopened, Backend).GetAsync("m"));
    }

    [Fact]
    public void ABatch_KnowsWhetherItIsInMemoryAlone()
    {
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("m"), Bytes.Of("v"), StoreBackend.Memory);
        batch.Change(TreeChange.Of(Volatile, 1, 0, 2));
        Assert.True(batch is { HasMemory: true, IsInMemoryAlone: true });
        batch.Put(Bytes.Of("h"), Bytes.Of("v"));
        Assert.True(batch is { HasMemory: true, IsInMemoryAlone: false });
        batch.Clear();
        Assert.False(batch.HasMemory);
    }

    private static StoreBackend Backend(ReadOnlyMemory<byte> key) => key.Span[0] switch
    {
        (byte)'m' => StoreBackend.Memory,
        (byte)'o' => StoreBackend.Ordered,
        _ => StoreBackend.Hash,
    };

    private static async Task PutVolatileAsync(IPartitionStore store, string key, string value, bool isMisplaced = false)
    {
        var batch = new WriteBatch();
        batch.Add(new WriteBatch.Entry(Bytes.Of(key), Bytes.Of(value), StoreBackend.Memory) { IsMisplaced = isMisplaced });
        var hash = EntryHash.OfKey(Bytes.Of(key).Span);
        batch.Change(TreeChange.Of(Volatile, hash, 0, EntryHash.OfEntry(hash, Bytes.Of(value).Span)));
        await store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
    }

    private StoresWithMemory Open() => new(TestEngine.Open(TestEngine.Options(directory.Path)), new MemoryRoom(RoomBytes));
}
