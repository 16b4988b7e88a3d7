using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>The files that a store keeps its keys in by segment: few, joined, and no reason to stop where they are damaged.</summary>
public sealed class SegmentIndexTests
{
    private static readonly PartitionId One = new(1);

    [Theory]
    [InlineData("segments.*", "missing")]
    [InlineData("segments.*", "damaged")]
    [InlineData("keys.*", "missing")]
    [InlineData("keys.*", "damaged")]
    [InlineData("keys.*", "cut")]
    public async Task FilesThatCannotBeRead_AreLearnedAnewFromTheData(string which, string how)
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        var keys = Enumerable.Range(0, 300).Select(key => $"key-{key}").ToList();
        await using (var engine = TestEngine.Open(options))
        {
            await FillAsync(await engine.OpenAsync(One, CancellationToken.None), keys);
        }

        foreach (var path in Directory.GetFiles(directory.Path, which, SearchOption.AllDirectories))
        {
            Spoil(path, how);
        }

        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.ReadSegmentsAsync(0, 65_536, int.MaxValue, [], CancellationToken.None);
            Assert.False(store.HasSegments);
            Assert.Null(await store.ReadSegmentsAsync(0, 1, 1, [], CancellationToken.None));
            await store.PutAsync("before", "learning");
            await store.IndexSegmentsAsync(CancellationToken.None);
            await store.PutAsync("after", "learning");
            await store.RemoveAsync("key-7");
        }

        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.AssertSegmentsAreOfAsync(keys.Append("before").Append("after").Except(["key-7"]));
        }
    }

    [Fact]
    public async Task WritesWhileKeysAreLearned_AreNotMissed()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        await using (var engine = TestEngine.Open(options))
        {
            await FillAsync(await engine.OpenAsync(One, CancellationToken.None), Enumerable.Range(0, 2000).Select(key => $"key-{key}"));
        }

        foreach (var path in Directory.GetFiles(directory.Path, "segments.*", SearchOption.AllDirectories))
        {
            File.Delete(path);
        }

        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            var learning = store.IndexSegmentsAsync(CancellationToken.None);
            await FillAsync(store, Enumerable.Range(1500, 1000).Select(key => $"key-{key}"));
            await engine.UpkeepOnceAsync();
            await learning;
            await store.AssertSegmentsAreOfAsync(Enumerable.Range(0, 2500).Select(key => $"key-{key}"));
        }
    }

    [Fact]
    public async Task ManyCheckpoints_LeaveFewFiles_AndNoDeadKeysForGood()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        for (var round = 0; round < 40; round++)
        {
            await using var engine = TestEngine.Open(options);
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await FillAsync(store, Enumerable.Range(round * 10, 20).Select(key => $"key-{key}"));
            for (var key = round * 10; key < (round * 10) + 10; key++)
            {
                await store.RemoveAsync($"key-{key}");
            }

            await store.AssertSegmentsAreOfAsync(Enumerable.Range((round * 10) + 10, 10).Select(key => $"key-{key}"), context: $"round {round}");
        }

        var runs = Directory.GetFiles(directory.Path, "keys.*", SearchOption.AllDirectories);
        Assert.InRange(runs.Length, 1, 6);
        Assert.Single(Directory.GetFiles(directory.Path, "segments.*", SearchOption.AllDirectories));
        Assert.InRange(runs.Sum(run => new FileInfo(run).Length), 1, 20_000);
    }

    private static async Task FillAsync(IPartitionStore store, IEnumerable<string> keys)
    {
        foreach (var key in keys)
        {
            await store.PutAsync(key, "v", Durability.Memory);
        }
    }

    private static void Spoil(string path, string how)
    {
        var bytes = File.ReadAllBytes(path);
        switch (how)
        {
            case "missing":
                File.Delete(path);
                break;
            case "damaged":
                bytes[^2] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            default:
                File.WriteAllBytes(path, bytes[..20]);
                break;
        }
    }
}
