using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>What the port promises, run against every engine.</summary>
public abstract partial class StoreContract : IAsyncLifetime
{
    protected static readonly PartitionId Seven = new(7);

    private protected IPartitionStores Stores { get; private set; } = null!;

    private protected IPartitionStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Stores = OpenStores();
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await Stores.DisposeAsync();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    /// <summary>The node's stores, on the same data each time; the ones before are disposed.</summary>
    private protected abstract IPartitionStores OpenStores();

    private protected virtual void CleanUp()
    {
    }

    /// <summary>Closes everything and opens it again; an engine that keeps its data in the object keeps the object.</summary>
    private protected async Task RestartAsync()
    {
        await Stores.DisposeAsync();
        Stores = OpenStores();
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
    }

    [Fact]
    public async Task Read_OfAKeyNeverWritten_IsNull() => Assert.Null(await Store.GetAsync("nothing"));

    [Fact]
    public async Task Read_AfterAWrite_GivesTheValue()
    {
        await Store.PutAsync("k", "v");
        Assert.Equal("v", await Store.GetTextAsync("k"));
    }

    [Fact]
    public async Task Read_BeforeTheWritesTaskCompletes_SeesTheWrite()
    {
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("k"), Bytes.Of("v"));
        var write = Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        batch.Clear();
        Assert.Equal("v", await Store.GetTextAsync("k"));
        await write;
    }

    [Fact]
    public async Task EmptyValuesAndEmptyKeys_AreKeysLikeOthers()
    {
        await Store.PutAsync("", "of the empty key");
        await Store.PutAsync("empty", "");
        await RestartAsync();
        Assert.Equal("of the empty key", await Store.GetTextAsync(""));
        Assert.Equal("", await Store.GetTextAsync("empty"));
        Assert.Equal(2, Store.ApproximateCount);
    }

    [Fact]
    public async Task Write_OfOneKeyTwiceInABatch_KeepsTheLast()
    {
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("a"), Bytes.Of("1"));
        batch.Put(Bytes.Of("b"), Bytes.Of("1"));
        batch.Remove(Bytes.Of("b"));
        batch.Put(Bytes.Of("a"), Bytes.Of("22"));
        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        Assert.Equal("22", await Store.GetTextAsync("a"));
        Assert.Null(await Store.GetAsync("b"));
        Assert.Equal(1, Store.ApproximateCount);
        Assert.Equal(3, Store.ApproximateBytes);
    }

    [Fact]
    public async Task Remove_MakesAKeyAbsent_OverARestartToo()
    {
        await Store.PutAsync("k", "v");
        await Store.RemoveAsync("k");
        await Store.RemoveAsync("never there");
        Assert.Null(await Store.GetAsync("k"));
        await RestartAsync();
        Assert.Null(await Store.GetAsync("k"));
        Assert.Equal(0, Store.ApproximateCount);
        Assert.Equal(0, Store.ApproximateBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4091)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(100_000)]
    [InlineData(5_000_000)]
    public async Task ValuesOfEverySize_ComeBackWhole_OverARestartToo(int length)
    {
        var value = Bytes.Pattern(length, length);
        await Store.PutAsync("k", value);
        Assert.Equal(value, (await Store.GetAsync("k"))!.Value.ToArray());
        await RestartAsync();
        Assert.Equal(value, (await Store.GetAsync("k"))!.Value.ToArray());
        Assert.Equal(length + 1, Store.ApproximateBytes);
        await Store.PutAsync("k", "short");
        Assert.Equal("short", await Store.GetTextAsync("k"));
        Assert.Equal(6, Store.ApproximateBytes);
    }

    [Fact]
    public async Task KeysAtTheLimit_AreTaken_AndLongerOnesRefusedWithNothingChanged()
    {
        var longest = new string('x', Store.MaxKeyBytes);
        await Store.PutAsync(longest, "v");
        Assert.Equal("v", await Store.GetTextAsync(longest));
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("fine"), Bytes.Of("v"));
        batch.Put(Bytes.Of(longest + "x"), Bytes.Of("v"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None));
        Assert.Null(await Store.GetAsync("fine"));
    }

    [Fact]
    public async Task ValuesOverTheLimit_AreRefused()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => Store.PutAsync("k", new byte[Store.MaxValueBytes + 1]));
        Assert.Contains($"limit of {Store.MaxValueBytes} bytes", failure.Message, StringComparison.Ordinal);
        Assert.Null(await Store.GetAsync("k"));
    }

    [Fact]
    public async Task ABatchOfReads_GivesEachItsOwn()
    {
        for (var index = 0; index < 300; index++)
        {
            await Store.PutAsync($"key-{index}", $"value-{index}", Durability.Memory);
        }

        var batch = new ReadBatch();
        for (var index = 0; index < 600; index++)
        {
            batch.Add(Bytes.Of($"key-{index}"));
        }

        await Store.ReadAsync(batch, CancellationToken.None);
        for (var index = 0; index < 600; index++)
        {
            Assert.Equal(index < 300 ? $"value-{index}" : null, batch.Value(index) is { } value ? Bytes.Text(value) : null);
        }
    }

    [Theory]
    [InlineData(Durability.Synced)]
    [InlineData(Durability.Interval)]
    [InlineData(Durability.Memory)]
    public async Task EveryDurability_OutlivesACleanRestart(Durability durability)
    {
        await Store.PutAsync("k", "v", durability);
        await RestartAsync();
        Assert.Equal("v", await Store.GetTextAsync("k"));
    }

    [Fact]
    public async Task Fold_GivesEveryLiveKeyOnce()
    {
        for (var round = 0; round < 3; round++)
        {
            for (var index = 0; index < 500; index++)
            {
                await Store.PutAsync($"key-{index}", Bytes.Pattern(200 + round, index), Durability.Memory);
            }
        }

        for (var index = 0; index < 500; index += 5)
        {
            await Store.RemoveAsync($"key-{index}");
        }

        await Store.PutAsync("large", Bytes.Pattern(300_000, 1));
        var all = await Store.FoldAllAsync();
        Assert.Equal(401, all.Count);
        Assert.Equal(Bytes.Pattern(202, 7), all[Convert.ToHexString(Bytes.Of("key-7").Span)]);
        Assert.Equal(Bytes.Pattern(300_000, 1), all[Convert.ToHexString(Bytes.Of("large").Span)]);
        Assert.Equal(401, Store.ApproximateCount);
    }

    [Fact]
    public async Task Fold_BesideWrites_MissesNoKeyThatStays()
    {
        const int keys = 2000;
        for (var index = 0; index < keys; index++)
        {
            await Store.PutAsync($"key-{index}", Bytes.Pattern(300, index), Durability.Memory);
        }

        var seen = new Dictionary<string, int>();
        var written = 0;
        await foreach (var (key, value) in Store.FoldAsync(CancellationToken.None))
        {
            var name = Bytes.Text(key);
            seen[name] = seen.GetValueOrDefault(name) + 1;
            if (written < 3 * keys)
            {
                // Every third key is written over and over while the fold goes on.
                await Store.PutAsync($"key-{written * 3 % keys / 3 * 3}", Bytes.Pattern(300 + (written % 50), 5), Durability.Memory);
                written++;
            }
        }

        for (var index = 0; index < keys; index++)
        {
            var times = seen.GetValueOrDefault($"key-{index}");
            Assert.True(index % 3 == 0 ? times >= 1 : times == 1, $"key-{index} came {times} times");
        }
    }

    [Fact]
    public async Task Drop_RemovesThePartition_AndItDoesNotComeBack()
    {
        await Store.PutAsync("k", "v");
        await Store.PutAsync("large", Bytes.Pattern(100_000, 1));
        await Store.DropAsync(CancellationToken.None);
        Assert.DoesNotContain(Seven, Stores.Partitions);
        await Stores.DisposeAsync();
        Stores = OpenStores();
        Assert.DoesNotContain(Seven, Stores.Partitions);
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
        Assert.Null(await Store.GetAsync("k"));
        Assert.Equal(0, Store.ApproximateCount);
        await Store.PutAsync("k2", "v2");
        await RestartAsync();
        Assert.Null(await Store.GetAsync("k"));
        Assert.Equal("v2", await Store.GetTextAsync("k2"));
    }

    [Fact]
    public async Task ADroppedStore_ServesNothing()
    {
        await Store.DropAsync(CancellationToken.None);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.GetAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Store.PutAsync("k", "v"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await Store.DropAsync(CancellationToken.None));
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
        await Store.PutAsync("k", "v");
        Assert.Equal("v", await Store.GetTextAsync("k"));
    }

    [Fact]
    public async Task Open_OfAnOpenPartition_IsRefused() =>
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Stores.OpenAsync(Seven, CancellationToken.None));

    [Fact]
    public async Task ACloseAndReopenedStore_HasItsData()
    {
        await Store.PutAsync("k", "v");
        await Store.DisposeAsync();
        Assert.Contains(Seven, Stores.Partitions);
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
        Assert.Equal("v", await Store.GetTextAsync("k"));
    }

    [Fact]
    public async Task Partitions_AfterARestart_AreThoseWithData()
    {
        await Store.PutAsync("k", "v");
        var ninth = await Stores.OpenAsync(new PartitionId(9), CancellationToken.None);
        await ninth.PutAsync("k", "v of nine");
        await RestartAsync();
        Assert.Equal([Seven, new PartitionId(9)], Stores.Partitions.Order());
        ninth = await Stores.OpenAsync(new PartitionId(9), CancellationToken.None);
        Assert.Equal("v of nine", await ninth.GetTextAsync("k"));
        Assert.Equal("v", await Store.GetTextAsync("k"));
    }

    [Fact]
    public async Task ACancelledToken_IsHonouredBeforeAnythingChanges()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("k"), Bytes.Of("v"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.WriteAsync(batch, Durability.Synced, cancelled.Token));
        Assert.Null(await Store.GetAsync("k"));
    }

    [Fact]
    public async Task Trees_OfAStoreThatNobodyBuiltThemFor_AreNotToBeBelieved()
    {
        Assert.Equal(0UL, Store.Trees.Layout);
        Assert.Empty(Store.Trees.Ranges);
        await Store.PutAsync("k", "v");
        await RestartAsync();
        Assert.Equal(0UL, Store.Trees.Layout);
    }

    [Fact]
    public async Task TreeChanges_GoWithTheirBatch_OverRestartsToo()
    {
        var held = new Dictionary<string, byte[]>();
        for (var step = 0; step < 60; step++)
        {
            var key = $"key-{step % 17}";
            var value = step % 5 == 4 ? null : Bytes.Pattern(step * 37, step);
            await Store.PutTrackedAsync(key, value is null ? default(ReadOnlyMemory<byte>?) : value);
            held.Remove(key);
            if (value is not null)
            {
                held[key] = value;
            }

            Store.AssertTreeIsOf(held);
            if (step % 20 == 19)
            {
                await RestartAsync();
                Store.AssertTreeIsOf(held, "restarted");
            }
        }
    }

    [Fact]
    public async Task NewTrees_TakeTheOldOnesPlace_AndTheBatchsChangesComeAfter()
    {
        await Store.PutTrackedAsync("before", Bytes.Of("is not in the new trees"));
        static HashTrees DeepTrees()
        {
            var trees = new HashTrees { Layout = 99, BuiltAt = 1_900_000_000, FirstDepth = 3 };
            trees.Apply(new TreeChange(TreeOperations.Range, 0x123456, 0xFFFF));
            return trees;
        }

        var change = new TreeChange(TreeOperations.Range, 0x1234FF, 0xFFFF);
        var batch = new WriteBatch { NewTrees = DeepTrees() };
        batch.Change(change);
        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        await Store.PutTrackedAsync("after", Bytes.Of("is"));
        var expected = DeepTrees();
        expected.Apply(change);
        var hash = EntryHash.OfKey(Bytes.Of("after").Span);
        expected.Apply(TreeChange.Of(TreeOperations.Range, hash, 0, EntryHash.OfEntry(hash, Bytes.Of("is").Span)));
        Assert.Equal(expected.Encode(), Store.Trees.Encode());
        await RestartAsync();
        Assert.Equal(expected.Encode(), Store.Trees.Encode());
        await RestartAsync();
        Assert.Equal(expected.Encode(), Store.Trees.Encode());
    }

    [Fact]
    public async Task ABatchThatIsRefused_ChangesNoTree()
    {
        await Store.PutTrackedAsync("k", Bytes.Of("v"));
        var before = Store.Trees.Encode();
        var batch = new WriteBatch();
        batch.Put(new byte[Store.MaxKeyBytes + 1], Bytes.Of("v"));
        batch.Change(new TreeChange(TreeOperations.Range, 1, 1));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None));
        Assert.Equal(before, Store.Trees.Encode());
    }

    [Fact]
    public async Task Segments_HaveEachLiveKey_OverRestartsToo()
    {
        var random = new Random(77);
        var held = new HashSet<string>();
        for (var step = 0; step < 600; step++)
        {
            var key = $"key-{random.Next(200)}";
            if (random.Next(3) == 0)
            {
                await Store.RemoveAsync(key);
                held.Remove(key);
            }
            else
            {
                await Store.PutAsync(key, Bytes.Pattern(random.Next(100), step), Durability.Memory);
                held.Add(key);
            }

            if (step % 100 == 99)
            {
                await Store.AssertSegmentsAreOfAsync(held);
                await RestartAsync();
                await Store.AssertSegmentsAreOfAsync(held, enough: 1000);
            }
        }
    }

    [Fact]
    public async Task Segments_OfARange_AreThoseAlone()
    {
        for (var key = 0; key < 100; key++)
        {
            await Store.PutAsync($"key-{key}", "v", Durability.Memory);
        }

        var keys = new List<ReadOnlyMemory<byte>>();
        Assert.Equal(40_000, await Store.ReadSegmentsAsync(20_000, 40_000, int.MaxValue, keys, CancellationToken.None));
        var expected = Enumerable.Range(0, 100).Select(key => $"key-{key}").Where(key => HashTree.SegmentOf(EntryHash.OfKey(Bytes.Of(key).Span)) is >= 20_000 and < 40_000);
        Assert.Equal(expected.Order(StringComparer.Ordinal), keys.Select(key => Bytes.Text(key)).Order(StringComparer.Ordinal));
        await Store.IndexSegmentsAsync(CancellationToken.None);
        Assert.True(Store.HasSegments);
    }

    [Fact]
    public async Task TreesOfADroppedStore_AreGoneWithIt()
    {
        await Store.PutTrackedAsync("k", Bytes.Of("v"));
        await Store.DropAsync(CancellationToken.None);
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
        Assert.Empty(Store.Trees.Ranges);
    }
}
