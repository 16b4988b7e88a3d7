using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>
/// One bit that rots anywhere in a store's records or their checksums: what FASTER keeps of a record, keys, lengths, values. Each key is right, or the store is damaged; and damaged it is, but for the sector in which
/// its checkpoint ends, of which that has a copy.
/// </summary>
public sealed class RotSweepTests
{
    private const string Directory = "/data/node/stores/p00001-00000000000000000001";
    private const string Records = Directory + "/" + StoreLog.FileName + ".0";
    private const string LastRecords = Directory + "/" + StoreLog.FileName + ".1";
    private const string Sums = Directory + "/" + StoreLog.SumsFileName + ".0";
    private const int Keys = 400;

    /// <summary>Keys behind the others, of which the last sector has several.</summary>
    private const int SmallKeys = 20;
    private static readonly PartitionId One = new(1);
    private static readonly StorageOptions Options = TestEngine.Options("/data/node");
    private static readonly TimeSpan Hung = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("reads")]
    [InlineData("fold")]
    [InlineData("compaction")]
    public async Task WhateverRots_EachKeyIsRight_OrTheStoreIsDamaged(string by)
    {
        var disk = await WrittenAsync();
        var image = disk.Capture();
        var content = disk.Content(Records);
        var first = content.AsSpan().IndexOf(Bytes.Pattern(300, 5)) - 30;
        var last = disk.Content(LastRecords).Length;
        var places = Enumerable.Range(0, 48).Select(at => (Records, first + at)) // All that FASTER keeps of one record, and its key.
            .Concat(Enumerable.Range(0, 64).Select(at => (Records, at * content.Length / 64)))
            .Concat(Enumerable.Range(0, 16).Select(at => (LastRecords, at * last / 16)))
            .Concat(Enumerable.Range(1, 4).Select(at => (LastRecords, last - SectorSums.SectorBytes - at)))
            .Concat(Enumerable.Range(0, SectorSums.SectorBytes / 8).Select(at => (LastRecords, last - SectorSums.SectorBytes + (at * 8)))) // Where the checkpoint ends.
            .Concat(Enumerable.Range(0, 8).Select(at => (Sums, 7 + (at * 37))));
        var random = new Random(by.Length);
        foreach (var (path, at) in places)
        {
            var rotten = image.Settle(1);
            var bit = random.Next(8);
            rotten.Rot(path, at, (byte)(1 << bit));
            var context = $"{path} at {at}, bit {bit}, {by}";
            var isFound = await Task.Run(() => IsFoundAsync(rotten, by, context), TestContext.Current.CancellationToken).WaitAsync(Hung, TestContext.Current.CancellationToken);
            var isKept = path == LastRecords && at >= last - SectorSums.SectorBytes;
            Assert.True(isFound != isKept, $"{context}: {(isFound ? "found, though there is a copy" : "not found")}");
        }
    }

    /// <summary>What the sector in which a checkpoint ends had before the end comes back from the copy, with a word of it.</summary>
    [Fact]
    public async Task TheSectorInWhichACheckpointEnds_IsRestored_AndThatIsTold()
    {
        var disk = await WrittenAsync();
        var whole = disk.Content(LastRecords);
        var at = whole.Length - SectorSums.SectorBytes + 9;
        disk.Rot(LastRecords, at);
        var told = new ToldLogger();
        for (var start = 0; start < 2; start++)
        {
            await using var engine = StorageEngine.Open(Options, _ => { }, disk, logger: told, runsUpkeep: false);
            await engine.OpenAsync(One, CancellationToken.None);
        }

        Assert.Contains($"{LastRecords} at offset {at / SectorSums.SectorBytes * SectorSums.SectorBytes}", Assert.Single(told.Warnings), StringComparison.Ordinal);
        Assert.Equal(whole, disk.Content(LastRecords));
    }

    /// <summary>A program before this one wrote no copy: what rots there is not noticed but by the sums of whole records.</summary>
    [Fact]
    public async Task ACheckpointWithoutACopyOfItsLastSector_IsRead()
    {
        var disk = await WrittenAsync();
        foreach (var index in disk.List(Directory + "/index-checkpoints"))
        {
            disk.Delete($"{Directory}/index-checkpoints/{index}/{CheckpointSums.FileName}");
            SectorSums.Mark(disk, Directory, $"index-checkpoints/{index}", tail: null);
        }

        Assert.False(await IsFoundAsync(disk, "fold", "without a copy"));
        disk.Rot(Records, 4000);
        Assert.True(await IsFoundAsync(disk, "fold", "without a copy"));
    }

    /// <summary>Stores of an older program have no checksums of sectors; theirs come with what is written from now on.</summary>
    [Fact]
    public async Task AStoreWithoutChecksums_IsRead()
    {
        var disk = await WrittenAsync();
        disk.Delete(Sums);
        Assert.False(await IsFoundAsync(disk, "fold", "without checksums"));
        Assert.False(await IsFoundAsync(disk, "compaction", "without checksums"));
        Assert.False(await IsFoundAsync(disk, "reads", "without checksums"));
    }

    /// <summary>An older program writes records and no sums, and its checkpoint has no mark: what is there of sums is not that of the records.</summary>
    [Fact]
    public async Task ChecksumsThatTheCheckpointDoesNotVouchFor_AreForgotten()
    {
        var disk = await WrittenAsync();
        foreach (var index in disk.List(Directory + "/index-checkpoints"))
        {
            disk.Delete($"{Directory}/index-checkpoints/{index}/sectors");
            disk.Delete($"{Directory}/index-checkpoints/{index}/{CheckpointSums.FileName}");
        }

        disk.Rot(Sums, 40);
        Assert.False(await IsFoundAsync(disk, "fold", "without a mark"));
        Assert.False(await IsFoundAsync(disk, "compaction", "without a mark"));
    }

    private static async Task<FaultyFiles> WrittenAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options, disk);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        for (var index = 0; index < Keys; index++)
        {
            await store.PutAsync($"key-{index}", Bytes.Pattern(300, index), Durability.Memory);
        }

        for (var index = 0; index < SmallKeys; index++)
        {
            await store.PutAsync($"small-{index}", Bytes.Pattern(20, index), Durability.Memory);
        }

        return disk;
    }

    /// <summary>Whether the store was found to be damaged; where it was not, every key is as it was written.</summary>
    private static async Task<bool> IsFoundAsync(FaultyFiles disk, string by, string context)
    {
        await using var engine = TestEngine.Open(Options, disk);
        try
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            switch (by)
            {
                case "reads":
                    break;
                case "fold":
                    await FoldAsync(store, context);
                    break;
                default:
                    for (var index = 10; index < Keys * 3; index++)
                    {
                        await store.PutAsync($"key-{Math.Max(10, index % Keys)}", Bytes.Pattern(300, Math.Max(10, index % Keys)), Durability.Memory);
                    }

                    await engine.UpkeepOnceAsync();
                    Assert.True(engine.Damaged.Count == 1 || engine.Statistics.Compactions > 0, context);
                    break;
            }

            for (var index = 0; index < Keys; index++)
            {
                Assert.True((await store.GetAsync($"key-{index}"))?.Span.SequenceEqual(Bytes.Pattern(300, index)), $"{context}: key-{index}");
            }

            for (var index = 0; index < SmallKeys; index++)
            {
                Assert.True((await store.GetAsync($"small-{index}"))?.Span.SequenceEqual(Bytes.Pattern(20, index)), $"{context}: small-{index}");
            }
        }
        catch (StoreDamagedException found)
        {
            Assert.Contains(context.StartsWith(LastRecords, StringComparison.Ordinal) ? LastRecords + " at offset " : Records + " at offset ", found.Message, StringComparison.Ordinal);
            Assert.Equal([One], engine.Damaged.Keys);
            return true;
        }

        Assert.Empty(engine.Damaged);
        return false;
    }

    private static async Task FoldAsync(IPartitionStore store, string context)
    {
        var seen = new HashSet<string>();
        await foreach (var entry in store.FoldAsync(CancellationToken.None))
        {
            var key = Bytes.Text(entry.Key);
            var number = int.Parse(key.AsSpan(key.IndexOf('-', StringComparison.Ordinal) + 1), System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(seen.Add(key) && entry.Value.Span.SequenceEqual(Bytes.Pattern(key.StartsWith("key", StringComparison.Ordinal) ? 300 : 20, number)), $"{context}: {key}");
        }

        Assert.True(seen.Count == Keys + SmallKeys, $"{context}: {seen.Count} keys");
    }
}
