using System.Globalization;
using Kv.Core.Stores;

namespace Kv.Storage.Tests.Contract;

/// <summary>Index entries, and scans of them and of ordered keys.</summary>
public abstract partial class StoreContract
{
    [Fact]
    public async Task Scan_GivesIndexEntriesInByteOrder_PageByPage_OverARestartToo()
    {
        string[] entries = ["a", "a\0", "a\0b", "b", "b\u00ff", "c", ""];
        var batch = new WriteBatch();
        foreach (var entry in entries)
        {
            batch.Change(new IndexChange(Bytes.Of(entry), IsAdded: true));
        }

        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        for (var start = 0; start < 2; start++)
        {
            foreach (var page in new[] { 1, 2, 3, 100 })
            {
                Assert.Equal(["", "a", "a\0", "a\0b", "b", "b\u00ff", "c"], await Store.ScanAllAsync(ScanSpace.Index, "", "", page));
                Assert.Equal(["a\0", "a\0b", "b"], await Store.ScanAllAsync(ScanSpace.Index, "a\0", "b\u0001", page));
            }

            await RestartAsync();
        }

        Assert.Empty(await Store.ScanAllAsync(ScanSpace.Index, "d", ""));
        Assert.Empty(await Store.ScanAllAsync(ScanSpace.Records, "", ""));
    }

    [Fact]
    public async Task IndexEntries_GoWithTheBatch_AndTheLastChangeOfOneCounts()
    {
        var batch = new WriteBatch();
        batch.Put(Bytes.Of("k"), Bytes.Of("v"), StoreBackend.Ordered);
        batch.Change(new IndexChange(Bytes.Of("x"), IsAdded: true));
        batch.Change(new IndexChange(Bytes.Of("x"), IsAdded: false));
        batch.Change(new IndexChange(Bytes.Of("y"), IsAdded: false));
        batch.Change(new IndexChange(Bytes.Of("y"), IsAdded: true));
        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        Assert.Equal(["y"], await Store.ScanAllAsync(ScanSpace.Index, "", ""));
        batch.Clear();
        batch.Change(new IndexChange(Bytes.Of("y"), IsAdded: false));
        batch.Put(new byte[Store.MaxKeyBytes + 1], Bytes.Of("too long"), StoreBackend.Ordered);
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None));
        await RestartAsync();
        Assert.Equal(["y"], await Store.ScanAllAsync(ScanSpace.Index, "", ""));
        Assert.Equal(1, Store.ApproximateCount);
        Assert.Equal(2, Store.ApproximateBytes);
    }

    [Theory]
    [InlineData(Durability.Synced)]
    [InlineData(Durability.Memory)]
    public async Task Scan_SeesEveryWriteThatWasApplied(Durability durability)
    {
        for (var index = 0; index < 100; index++)
        {
            var batch = new WriteBatch();
            batch.Change(new IndexChange(Bytes.Of($"entry-{index:D3}"), IsAdded: true));
            var write = Store.WriteAsync(batch, durability, CancellationToken.None);
            Assert.Equal(index + 1, (await Store.ScanAllAsync(ScanSpace.Index, "", "")).Count);
            await write;
        }
    }

    [Fact]
    public async Task Scan_StopsAtItsBoundsOfEntriesAndBytes()
    {
        var batch = new WriteBatch();
        for (var index = 0; index < 10; index++)
        {
            batch.Put(Bytes.Of($"k{index}"), Bytes.Pattern(98, index), StoreBackend.Ordered);
        }

        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        var all = (await Store.FoldAllAsync()).Count;
        Assert.Equal(10, all);
        var whole = await Store.ScanAsync(new StoreScan(ScanSpace.Records, default, default, 100, int.MaxValue), CancellationToken.None);
        Assert.True(whole.IsLast);
        Assert.All(whole.Entries, entry => Assert.Equal(Bytes.Pattern(98, int.Parse(Bytes.Text(entry.Key)[1..], CultureInfo.InvariantCulture)), entry.Value.ToArray()));
        if (whole.Entries.Count == 10)
        {
            var cut = await Store.ScanAsync(new StoreScan(ScanSpace.Records, default, default, 100, 250), CancellationToken.None);
            Assert.Equal((3, false), (cut.Entries.Count, cut.IsLast));
            cut = await Store.ScanAsync(new StoreScan(ScanSpace.Records, Bytes.Of("k8"), default, 2, int.MaxValue), CancellationToken.None);
            Assert.Equal((2, true), (cut.Entries.Count, cut.IsLast));
        }
    }

    [Fact]
    public async Task IndexOfADroppedStore_IsGoneWithIt()
    {
        var batch = new WriteBatch();
        batch.Change(new IndexChange(Bytes.Of("x"), IsAdded: true));
        await Store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
        await Store.DropAsync(CancellationToken.None);
        Store = await Stores.OpenAsync(Seven, CancellationToken.None);
        Assert.Empty(await Store.ScanAllAsync(ScanSpace.Index, "", ""));
    }
}
