using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A partition whose store is damaged or gone: known over restarts, never opened, in nobody's way, and as new once it is given up.</summary>
public sealed class DamagedPartitionTests
{
    private const string Directory = "/data/node/stores/p00001-00000000000000000001";
    private static readonly PartitionId One = new(1);
    private static readonly PartitionId Two = new(2);

    public static TheoryData<string> Damages => ["directory", "checkpoint", "older checkpoint", "index", "record"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task ADamagedStore_IsNeverOpened_AndTheOthersGoOn(string what)
    {
        var disk = await WrittenAsync();
        await DamageAsync(disk, what);

        // Thrice, with enough written meanwhile for the log to be cut: what is missing must not be taken for empty.
        for (var start = 0; start < 3; start++)
        {
            await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
            await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            Assert.Equal([One], engine.Damaged.Keys);
            Assert.DoesNotContain(One, engine.Partitions);
            var other = await engine.OpenAsync(Two, CancellationToken.None);
            await FillAsync(other, 400);
            await engine.UpkeepOnceAsync();
            await engine.UpkeepOnceAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task WhatIsGivenUp_IsAsNew_OverRestartsToo(string what)
    {
        var disk = await WrittenAsync();
        await DamageAsync(disk, what);
        long birth;
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await engine.DiscardAsync(Two, CancellationToken.None));
            await engine.DiscardAsync(One, CancellationToken.None);
            Assert.Empty(engine.Damaged);
            var store = await engine.OpenAsync(One, CancellationToken.None);
            Assert.Equal(0, store.ApproximateCount);
            Assert.Null(await store.GetAsync("key-1"));
            await store.PutAsync("new", "v");
            birth = store.Birth;
        }

        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            Assert.Empty(engine.Damaged);
            var store = await engine.OpenAsync(One, CancellationToken.None);
            Assert.Equal((1, birth), (store.ApproximateCount, store.Birth));
            Assert.Equal(400, (await engine.OpenAsync(Two, CancellationToken.None)).ApproximateCount);
        }
    }

    public static TheoryData<string, string> PassingErrors
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var path in new[] { "/index-checkpoints/", "/info.dat", "/ht.dat", "/records." })
            {
                foreach (var error in new[] { nameof(IOException), nameof(UnauthorizedAccessException), nameof(OutOfMemoryException) })
                {
                    data.Add(path, error);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(PassingErrors))]
    public async Task WhatFailsForNow_IsNoDamage_AndTheNextStartHasAll(string path, string error)
    {
        var disk = await WrittenAsync();
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            disk.BeforeRead = read =>
            {
                if (read.Contains(path, StringComparison.Ordinal))
                {
                    throw error switch
                    {
                        nameof(IOException) => new IOException("Input/output error"),
                        nameof(OutOfMemoryException) => new InsufficientMemoryException("the limit was lowered"),
                        _ => new UnauthorizedAccessException("Permission denied"),
                    };
                }
            };
            var failure = await Assert.ThrowsAsync<StoreException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            Assert.IsNotType<StoreDamagedException>(failure);
            Assert.Empty(engine.Damaged);
            disk.BeforeRead = null;
        }

        await using var again = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        Assert.Empty(again.Damaged);
        Assert.Equal(400, (await again.OpenAsync(One, CancellationToken.None)).ApproximateCount);
    }

    [Theory]
    [InlineData("index-checkpoints")]
    [InlineData("cpr-checkpoints")]
    public async Task RotInAnyFileOfFastersCheckpoint_IsFoundAtTheStart_ByItsName(string holder)
    {
        var disk = await WrittenAsync();
        var token = Assert.Single(disk.List($"{Directory}/{holder}"));
        foreach (var name in disk.List($"{Directory}/{holder}/{token}"))
        {
            var path = $"{Directory}/{holder}/{token}/{name}";
            for (var at = 0; at < disk.Content(path).Length; at += 1499)
            {
                var rotten = disk.Capture().Settle(1);
                rotten.Rot(path, at);
                await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), rotten);
                var damage = await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
                Assert.Contains(path, damage.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task ACheckpointOfAnOlderProgram_WhichHasNoChecksums_IsRecovered()
    {
        var disk = await WrittenAsync();
        var token = Assert.Single(disk.List($"{Directory}/index-checkpoints"));
        disk.Delete($"{Directory}/index-checkpoints/{token}/checksums");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        Assert.Equal(400, (await engine.OpenAsync(One, CancellationToken.None)).ApproximateCount);
    }

    [Fact]
    public async Task WhatTheLogHasOfADamagedStore_StaysWhileThereIsRoomForIt()
    {
        var disk = await WrittenAsync();
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            // In the log alone: the process ends without a checkpoint.
            await (await engine.OpenAsync(One, CancellationToken.None)).PutAsync("last", "v");
            disk = disk.Capture().Settle(1);
        }

        const string checkpoints = Directory + "/index-checkpoints";
        var token = Assert.Single(disk.List(checkpoints));
        foreach (var name in disk.List($"{checkpoints}/{token}"))
        {
            disk.Rename($"{checkpoints}/{token}/{name}", $"/data/{name}");
        }

        var kept = disk.List("/data").Where(name => name != "node").ToList();
        for (var start = 0; start < 2; start++)
        {
            await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
            await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            await FillAsync(await engine.OpenAsync(Two, CancellationToken.None), 400);
            await engine.UpkeepOnceAsync();
            await engine.UpkeepOnceAsync();
        }

        // Mended by hand.
        kept.ForEach(name => disk.Rename($"/data/{name}", $"{checkpoints}/{token}/{name}"));
        disk.Delete("/data/node/stores/p00001.damaged");
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            Assert.NotNull(await store.GetAsync("last"));
            Assert.Equal(401, store.ApproximateCount);
        }
    }

    /// <summary>Neither up to more than its cap, nor a disk that has no room for so much.</summary>
    [Theory]
    [InlineData(8L << 20, 1L << 40, 12L << 20)]
    [InlineData(1L << 30, 16L << 20, 14L << 20)]
    public async Task WhatTheLogHasOfADamagedStore_DoesNotFillTheDisk(long cap, long room, long most)
    {
        var disk = await WrittenAsync();
        RotRecord(disk);
        var capacity = disk.UsedBytes() + room;
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node") with { LogCapBytes = cap, CheckpointLogBytes = 1L << 30 }, disk);
        var damaged = await engine.OpenAsync(One, CancellationToken.None);
        await damaged.PutAsync("in the log alone", "v");
        await Assert.ThrowsAsync<StoreDamagedException>(() => damaged.GetAsync("key-5"));
        var other = await engine.OpenAsync(Two, CancellationToken.None);
        for (var round = 0; round < 100; round++)
        {
            await FillAsync(other, 100);
            disk.FreeBytesLeft = capacity - disk.UsedBytes();
            await engine.UpkeepOnceAsync();
        }

        Assert.Equal(0, engine.Statistics.Refusals);
        Assert.InRange(engine.Statistics.LogBytes, 1, most);
    }

    [Fact]
    public async Task TwoWhoGiveItUpAtOnce_LeaveTheStoreThatComesAfter()
    {
        var disk = await WrittenAsync();
        await DamageAsync(disk, "checkpoint");
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
        {
            var first = engine.DiscardAsync(One, CancellationToken.None).AsTask();
            var second = engine.DiscardAsync(One, CancellationToken.None).AsTask();
            await first;
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.PutAsync("new", "v");
            await Assert.ThrowsAsync<InvalidOperationException>(() => second);
        }

        await using var again = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        Assert.NotNull(await (await again.OpenAsync(One, CancellationToken.None)).GetAsync("new"));
    }

    [Fact]
    public async Task ACrashAtAnyOperationOfGivingUp_LeavesItDamagedOrGone()
    {
        var disk = await WrittenAsync();
        await DamageAsync(disk, "checkpoint");
        var crashes = new List<DiskImage>();
        await using (var engine = TestEngine.Open(TestEngine.Options("/data/node") with { PrepareLogAhead = false }, disk))
        {
            disk.Before = _ => crashes.Add(disk.Capture());
            await engine.DiscardAsync(One, CancellationToken.None);
            disk.Before = null;
            crashes.Add(disk.Capture());
        }

        Assert.True(crashes.Count > 5, $"only {crashes.Count} crashes");
        var gone = 0;
        for (var index = 0; index < crashes.Count; index++)
        {
            await using var again = TestEngine.Open(TestEngine.Options("/data/node"), crashes[index].Settle(index));
            if (again.Damaged.Count > 0)
            {
                Assert.True(index < crashes.Count - 1, "what was given up came back");
                await again.DiscardAsync(One, CancellationToken.None);
            }
            else
            {
                gone++;
            }

            Assert.Equal(0, (await again.OpenAsync(One, CancellationToken.None)).ApproximateCount);
            Assert.Equal(400, (await again.OpenAsync(Two, CancellationToken.None)).ApproximateCount);
        }

        Assert.InRange(gone, 1, crashes.Count - 1);
    }

    private static async Task<FaultyFiles> WrittenAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk);
        foreach (var partition in new[] { One, Two })
        {
            await FillAsync(await engine.OpenAsync(partition, CancellationToken.None), 400);
            await engine.UpkeepOnceAsync();
        }

        return disk;
    }

    private static async Task FillAsync(IPartitionStore store, int keys)
    {
        for (var index = 0; index < keys; index++)
        {
            await store.PutAsync($"key-{index}", Bytes.Pattern(3500, index), Durability.Memory);
        }
    }

    private static async Task DamageAsync(FaultyFiles disk, string what)
    {
        switch (what)
        {
            case "directory":
                disk.DeleteDirectory(Directory);
                break;
            case "checkpoint":
                disk.Rot(Directory + "/checkpoint", 40);
                break;
            case "older checkpoint":
                disk.Delete(Directory + "/checkpoint");
                break;
            case "index":
                foreach (var name in disk.List(Directory + "/index-checkpoints"))
                {
                    disk.DeleteDirectory($"{Directory}/index-checkpoints/{name}");
                }

                break;
            default:
                RotRecord(disk);
                await using (var engine = TestEngine.Open(TestEngine.Options("/data/node"), disk))
                {
                    var store = await engine.OpenAsync(One, CancellationToken.None);
                    await Assert.ThrowsAsync<StoreDamagedException>(() => store.GetAsync("key-5"));
                }

                break;
        }
    }

    /// <summary>That of key-5.</summary>
    private static void RotRecord(FaultyFiles disk)
    {
        var records = disk.List(Directory).First(one => one.StartsWith("records.", StringComparison.Ordinal));
        disk.Rot($"{Directory}/{records}", disk.Content($"{Directory}/{records}").AsSpan().IndexOf(Bytes.Pattern(3500, 5)) + 1000);
    }
}
