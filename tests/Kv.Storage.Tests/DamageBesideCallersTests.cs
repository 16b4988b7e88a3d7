using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>Damage that is met beside others' calls, a drop, upkeep's visit, or on a full disk: it is one partition's, and ends and holds up nobody.</summary>
public sealed class DamageBesideCallersTests
{
    private const string Directory = "/data/node/stores/p00001-00000000000000000001";
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);
    private static readonly PartitionId One = new(1);
    private static readonly PartitionId Two = new(2);
    private static readonly StorageOptions Options = TestEngine.Options("/data/node");

    [Fact]
    public async Task NobodyIsRefused_BeforeItIsNoted()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options, disk);
        var one = (FasterPartitionStore)await FilledAsync(engine, One);
        Rot(disk);
        var (looks, isEarly) = (0, false);
        disk.Before = operation =>
        {
            // Who is refused by it now asks for the partition anew, and would be told that it is open.
            if (operation.Path.Contains(".damaged", StringComparison.Ordinal))
            {
                looks++;
                isEarly |= one.IsDamaged;
            }
        };
        await Assert.ThrowsAsync<StoreDamagedException>(() => FoldAsync(one));
        disk.Before = null;
        Assert.True(looks > 0);
        Assert.False(isEarly);
        Assert.True(one.IsDamaged);
        await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
    }

    [Fact]
    public async Task ADropThatWaitsForWhoMeetsIt_IsDone_AndTheDamageIsGoneWithIt()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options, disk))
        {
            var told = new List<PartitionId>();
            engine.FoundDamaged += (partition, _) => told.Add(partition);
            var one = await FilledAsync(engine, One);
            Rot(disk, key: 0); // What a fold reads first.
            Task? drop = null;
            disk.BeforeRead = path => drop ??= path.StartsWith(Directory, StringComparison.Ordinal) ? one.DropAsync(CancellationToken.None).AsTask() : null;
            await Assert.ThrowsAsync<StoreDamagedException>(() => FoldAsync(one));
            disk.BeforeRead = null;
            await drop!.WaitAsync(Hang, TestContext.Current.CancellationToken);
            await one.DisposeAsync().AsTask().WaitAsync(Hang, TestContext.Current.CancellationToken);
            Assert.Equal([One], told);
            Assert.Empty(engine.Damaged);
            await Assert.ThrowsAsync<InvalidOperationException>(() => engine.DiscardAsync(One, CancellationToken.None).AsTask().WaitAsync(Hang, TestContext.Current.CancellationToken));
            var anew = await engine.OpenAsync(One, CancellationToken.None);
            Assert.Equal(0, anew.ApproximateCount);
            await anew.PutAsync("new", "v");
        }

        await using var again = TestEngine.Open(Options, disk);
        Assert.Empty(again.Damaged);
        Assert.NotNull(await (await again.OpenAsync(One, CancellationToken.None)).GetAsync("new"));
    }

    [Fact]
    public async Task WhatUpkeepMeets_WhereNobodyAsked_IsTold()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using (var engine = TestEngine.Open(Options, disk))
        {
            await (await FilledAsync(engine, One)).PutAsync("last", "v");
            disk = disk.Capture().Settle(1);
        }

        disk.DeleteDirectory(Directory + "/index-checkpoints");
        var told = new List<PartitionId>();
        await using var again = TestEngine.Open(Options, disk);
        again.FoundDamaged += (partition, _) => told.Add(partition);
        var two = await again.OpenAsync(Two, CancellationToken.None);
        for (var round = 0; round < 8; round++)
        {
            await FillAsync(two);
        }

        await again.UpkeepOnceAsync();
        Assert.Equal([One], told);
        Assert.Equal([One], again.Damaged.Keys);
    }

    [Fact]
    public async Task OnAFullDisk_ItIsNoted_AndTheOthersGoOn()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options, disk, failures: failures))
        {
            var (one, two) = (await FilledAsync(engine, One), await FilledAsync(engine, Two));
            Rot(disk);
            disk.FillUp();
            await Assert.ThrowsAsync<StoreDamagedException>(() => one.GetAsync("key-5"));
            Assert.Equal([One], engine.Damaged.Keys);
            Assert.NotNull(await two.GetAsync("key-5"));
            Assert.Empty(failures);
            disk = disk.Capture().Settle(1);
        }

        await using var again = TestEngine.Open(Options, disk);
        Assert.Equal([One], again.Damaged.Keys);
    }

    private static async Task FoldAsync(IPartitionStore store)
    {
        await foreach (var entry in store.FoldAsync(CancellationToken.None))
        {
            Assert.NotEqual("key-5", Bytes.Text(entry.Key));
        }
    }

    private static async Task<IPartitionStore> FilledAsync(StorageEngine engine, PartitionId partition)
    {
        var store = await engine.OpenAsync(partition, CancellationToken.None);
        await FillAsync(store);
        await engine.UpkeepOnceAsync();
        return store;
    }

    private static async Task FillAsync(IPartitionStore store)
    {
        for (var index = 0; index < 400; index++)
        {
            await store.PutAsync($"key-{index}", Bytes.Pattern(3500, index), Durability.Memory);
        }
    }

    /// <summary>Changes a byte of one key's value on the disk.</summary>
    private static void Rot(FaultyFiles disk, int key = 5)
    {
        var found = disk.List(Directory).Where(name => name.StartsWith("records.", StringComparison.Ordinal))
            .Select(name => (Path: $"{Directory}/{name}", At: disk.Content($"{Directory}/{name}").AsSpan().IndexOf(Bytes.Pattern(3500, key))))
            .First(place => place.At >= 0);
        disk.Rot(found.Path, found.At + 1000);
    }
}
