using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Ordered;

namespace Kv.Storage.Tests;

/// <summary>Ordered keys on a real disk: damage is found and is one partition's, a drop gives the space back, and a key that came before its type was known is moved.</summary>
public sealed class OrderedRecordsTests : IDisposable
{
    private const int Keys = 400;
    private const int OverwrittenKeys = 50;
    private static readonly PartitionId One = new(1);
    private static readonly PartitionId Two = new(2);
    private readonly TemporaryDirectory directory = new();
    private readonly List<StoreException> failures = [];

    private string Records => Path.Combine(directory.Path, "stores", "p00001-00000000000000000001", OrderedRecords.DirectoryName);

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("read")]
    [InlineData("fold")]
    [InlineData("scan")]
    public async Task Rot_IsFoundByWhoeverReadsIt_NamesTheFile_AndClosesThatStoreAlone(string by)
    {
        await WriteAsync();
        var rotten = Rot();
        await using (var engine = Open())
        {
            var (one, two) = (await OpenAsync(engine, One), await OpenAsync(engine, Two));
            await Assert.ThrowsAsync<StoreDamagedException>(() => by switch
            {
                "read" => ReadAllAsync(one),
                "fold" => one.FoldAllAsync(),
                _ => one.ScanAllAsync(ScanSpace.Records, "", ""),
            });
            var (damaged, why) = Assert.Single(engine.Damaged);
            Assert.Equal(One, damaged);
            Assert.Contains(rotten, why, StringComparison.Ordinal);
            await Assert.ThrowsAsync<StoreDamagedException>(() => one.GetAsync("key-7"));
            await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            await two.PutAsync("new", "v");
            Assert.Equal(Keys + 1, (await two.FoldAllAsync()).Count);
        }

        Assert.Empty(failures);
        await using var again = Open();
        Assert.Equal([One], again.Damaged.Keys);
        await again.DiscardAsync(One, CancellationToken.None);
        Assert.False(Directory.Exists(Records));
        Assert.Empty(await (await OpenAsync(again, One)).FoldAllAsync());
    }

    [Theory]
    [InlineData("*.sst")]
    [InlineData("CURRENT")]
    [InlineData("MANIFEST-*")]
    [InlineData("*")]
    public async Task FilesThatAreGone_AreDamage_AndNeverAnEmptyStore(string pattern)
    {
        await WriteAsync();
        Array.ForEach(Directory.GetFiles(Records, pattern), File.Delete);
        await AssertOneIsDamagedAsync();
    }

    [Fact]
    public async Task RecordsOlderThanTheCheckpoint_AreDamage()
    {
        await WriteAsync();
        var older = Records + ".older";
        Copy(Records, older);
        await WriteAsync();
        Directory.Delete(Records, recursive: true);
        Directory.Move(older, Records);
        await AssertOneIsDamagedAsync();
    }

    [Fact]
    public async Task ATornManifest_IsDamage()
    {
        await WriteAsync();
        var manifest = Assert.Single(Directory.GetFiles(Records, "MANIFEST-*"));
        using (var file = File.OpenWrite(manifest))
        {
            file.SetLength(file.Length / 2);
        }

        await AssertOneIsDamagedAsync();
    }

    [Fact]
    public async Task WhatIsInNoCheckpoint_ComesFromTheLog()
    {
        using var crashed = new TemporaryDirectory();
        await using (var engine = Open())
        {
            var store = await OpenAsync(engine, One);
            await FillAsync(store, Keys);
            await store.PutAsync("last", "v");
            Assert.True(Directory.Exists(Records));
            Copy(directory.Path, crashed.Path);
        }

        // As a crash before the first checkpoint leaves it: what lies there counts for nothing, whatever it is.
        var current = Path.Combine(crashed.Path, Path.GetRelativePath(directory.Path, Records), "CURRENT");
        await File.WriteAllTextAsync(current, "MANIFEST-999999\n", TestContext.Current.CancellationToken);
        await using var again = TestEngine.Open(TestEngine.Options(crashed.Path), failures: failures);
        Assert.Equal(Keys + 1, (await (await OpenAsync(again, One)).FoldAllAsync()).Count);
    }

    [Fact]
    public async Task Drop_GivesTheSpaceBack()
    {
        await WriteAsync();
        await using var engine = Open();
        await (await OpenAsync(engine, One)).DropAsync(CancellationToken.None);
        Assert.False(Directory.Exists(Path.GetDirectoryName(Records)));
        Assert.Equal(Keys, (await (await OpenAsync(engine, Two)).FoldAllAsync()).Count);
    }

    [Fact]
    public async Task AKeyWrittenBeforeItsTypeWasKnown_IsRead_AndMovedWhenItIsWritten()
    {
        await using (var engine = Open())
        {
            var unknowing = await engine.OpenAsync(One, CancellationToken.None);
            await unknowing.PutAsync("k", Bytes.Pattern(9000, 1));
            var store = BackedStores.Over(unknowing, BackedStores.Ordered);
            Assert.Equal(Bytes.Pattern(9000, 1), (await store.GetAsync("k"))!.Value.ToArray());
            Assert.Empty(await store.ScanAllAsync(ScanSpace.Records, "", ""));
            await store.PutAsync("k", "v");
            Assert.Equal(["k"], await store.ScanAllAsync(ScanSpace.Records, "", ""));
            Assert.Null(await unknowing.GetAsync("k"));
            Assert.Equal((1, 2), (store.ApproximateCount, store.ApproximateBytes));
        }

        await using var again = Open();
        var anew = await OpenAsync(again, One);
        Assert.Equal(["k"], (await anew.FoldAllAsync()).Keys.Select(key => Bytes.Text(Convert.FromHexString(key))));
        Assert.Equal("v", await anew.GetTextAsync("k"));
    }

    [Fact]
    public async Task AStoreWithoutOrderedKeys_HasNothingOfThem()
    {
        await using var engine = Open();
        await FillAsync(await engine.OpenAsync(One, CancellationToken.None), 10);
        await engine.UpkeepOnceAsync();
        Assert.False(Directory.Exists(Records));
    }

    [Fact]
    public async Task BytesOfAStore_AreAskedForBesideItsClosing()
    {
        await using var engine = Open();
        for (var round = 0; round < 30; round++)
        {
            var store = (FasterPartitionStore)await engine.OpenAsync(One, CancellationToken.None);
            await FillAsync(BackedStores.Over(store, BackedStores.Ordered), 20);
            var closing = Task.Run(async () => await store.DisposeAsync(), TestContext.Current.CancellationToken);
            while (!closing.IsCompleted)
            {
                Assert.InRange(store.RecordBytes, 0, long.MaxValue);
            }

            await closing;
            Assert.Equal(0, store.RecordBytes);
        }

        Assert.Empty(failures);
    }

    [Fact]
    public async Task DeadRecordsOfOtherKeys_AreCompacted_HoweverMuchIsOrdered()
    {
        await using (var engine = Open())
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await FillAsync(BackedStores.Over(store, BackedStores.Ordered), 4 * Keys);
            await OverwriteAsync(store, 300);
        }

        await using var again = Open();
        var anew = await again.OpenAsync(One, CancellationToken.None);
        await OverwriteAsync(anew, 300);
        await again.UpkeepOnceAsync();
        Assert.True(again.Statistics.Compactions > 0);
        Assert.Equal((4 * Keys) + OverwrittenKeys, anew.ApproximateCount);
        Assert.Equal(anew.ApproximateBytes, (await anew.FoldAllAsync()).Sum(entry => (entry.Key.Length / 2) + entry.Value.Length));
    }

    [Fact]
    public async Task AFold_SeesAKeyThatIsMovedBesideIt()
    {
        await using var engine = TestEngine.Open(TestEngine.Options(directory.Path) with { LogIntervalMilliseconds = 60_000 }, failures: failures);
        var unknowing = await engine.OpenAsync(One, CancellationToken.None);
        await FillAsync(unknowing, Keys);
        var found = new HashSet<string>();
        var isMoved = false;
        await foreach (var (key, _) in unknowing.FoldAsync(CancellationToken.None))
        {
            found.Add(Bytes.Text(key));
            if (!isMoved)
            {
                isMoved = true;
                await FillAsync(BackedStores.Over(unknowing, BackedStores.Ordered), Keys);
            }
        }

        Assert.Equal(Keys, found.Count);
    }

    private static async Task OverwriteAsync(IPartitionStore store, int times)
    {
        for (var index = 0; index < times; index++)
        {
            await store.PutAsync($"by-hash-{index % OverwrittenKeys}", Bytes.Pattern(2000, index), Durability.Memory);
        }
    }

    private static ValueTask<IPartitionStore> OpenAsync(StorageEngine engine, PartitionId partition) =>
        new BackedStores(engine, BackedStores.Ordered).OpenAsync(partition, CancellationToken.None);

    private static async Task FillAsync(IPartitionStore store, int keys)
    {
        for (var index = 0; index < keys; index++)
        {
            await store.PutAsync($"key-{index}", Bytes.Pattern(500, index), Durability.Memory);
        }
    }

    private static async Task ReadAllAsync(IPartitionStore store)
    {
        for (var index = 0; index < Keys; index++)
        {
            Assert.Equal(Bytes.Pattern(500, index), (await store.GetAsync($"key-{index}"))!.Value.ToArray());
        }
    }

    internal static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from).Where(file => Path.GetFileName(file) != EngineDirectory.LockName))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var below in Directory.GetDirectories(from))
        {
            Copy(below, Path.Combine(to, Path.GetFileName(below)));
        }
    }

    private StorageEngine Open() => TestEngine.Open(TestEngine.Options(directory.Path), failures: failures);

    /// <summary>Two stores with ordered keys, closed, so that all is in checkpoints.</summary>
    private async Task WriteAsync()
    {
        await using var engine = Open();
        await FillAsync(await OpenAsync(engine, One), Keys);
        await FillAsync(await OpenAsync(engine, Two), Keys);
    }

    /// <summary>Changes a byte in the middle of a file of records; gives its name.</summary>
    private string Rot()
    {
        var path = Directory.GetFiles(Records, "*.sst").MaxBy(file => new FileInfo(file).Length)!;
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0x40;
        File.WriteAllBytes(path, bytes);
        return Path.GetFileName(path);
    }

    private async Task AssertOneIsDamagedAsync()
    {
        for (var start = 0; start < 2; start++)
        {
            await using var engine = Open();
            var damage = await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            Assert.Contains(Records, damage.Message, StringComparison.Ordinal);
            Assert.Equal([One], engine.Damaged.Keys);
            Assert.Equal(Keys, (await (await OpenAsync(engine, Two)).FoldAllAsync()).Count);
        }

        Assert.Empty(failures);
    }
}
