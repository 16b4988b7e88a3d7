using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>One bit that rots anywhere in a store's records or their checksums: what FASTER keeps of a record, keys, lengths, values. Each key is right, or the store is damaged.</summary>
public sealed class RotSweepTests
{
    private const string Directory = "/data/node/stores/p00001-00000000000000000001";
    private const string Records = Directory + "/" + StoreLog.FileName + ".0";
    private const string Sums = Directory + "/" + StoreLog.SumsFileName + ".0";
    private const int Keys = 400;
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
        var places = Enumerable.Range(0, 48).Select(at => (Records, first + at)) // All that FASTER keeps of one record, and its key.
            .Concat(Enumerable.Range(0, 32).Select(at => (Records, at * (content.Length / 2) / 32)))
            .Concat(Enumerable.Range(0, 8).Select(at => (Sums, 7 + (at * 37))));
        var random = new Random(by.Length);
        var found = 0;
        foreach (var (path, at) in places)
        {
            var rotten = image.Settle(1);
            var bit = random.Next(8);
            rotten.Rot(path, at, (byte)(1 << bit));
            var context = $"{path} at {at}, bit {bit}, {by}";
            found += await Task.Run(() => IsFoundAsync(rotten, by, context), TestContext.Current.CancellationToken).WaitAsync(Hung, TestContext.Current.CancellationToken) ? 1 : 0;
        }

        Assert.True(found > 60, $"{found} were found");
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
        }
        catch (StoreDamagedException found)
        {
            Assert.Contains(Records + " at offset ", found.Message, StringComparison.Ordinal);
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
            Assert.True(seen.Add(key) && entry.Value.Span.SequenceEqual(Bytes.Pattern(300, int.Parse(key.AsSpan(4), System.Globalization.CultureInfo.InvariantCulture))), $"{context}: {key}");
        }

        Assert.True(seen.Count == Keys, $"{context}: {seen.Count} keys");
    }
}
