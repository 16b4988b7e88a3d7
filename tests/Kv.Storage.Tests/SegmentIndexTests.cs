using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Segments;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>The files that a store keeps its keys in by segment: few, joined, and no reason to stop where they are damaged.</summary>
public sealed class SegmentIndexTests
{
    private const int LearnedKeys = 1024;
    private const int LearnedKeyBytes = 4096;
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

    /// <summary>A run could not be read once, keys are learned anew, and a crash comes between a run of what is learned so far and the next checkpoint: the manifest of the one before counts.</summary>
    [Fact]
    public void ANewRun_NeverPassesForOneThatAnOlderManifestNames()
    {
        const string run = "/data/keys.1";
        var disk = FaultyFiles.WithDirectory("/data");
        using (var index = SegmentIndex.Open(disk, "/data", covered: null, static _ => { }))
        {
            index.Changed("key-1"u8, isLive: true);
            index.Changed("key-2"u8, isLive: true);
            index.BeginCheckpoint();
            index.Write(covered: 10);
        }

        disk.BeforeRead = path => _ = path == run ? throw new IOException("Input/output error") : 0;
        using (var index = SegmentIndex.Open(disk, "/data", covered: 10, static _ => { }))
        {
            disk.BeforeRead = null;
            Assert.False(index.IsComplete);
            Assert.True(index.TryBeginLearning());
            index.Learn("key-1"u8);
            index.BeginCheckpoint();
            index.Write(covered: 20);
        }

        using var again = SegmentIndex.Open(disk, "/data", covered: 10, static _ => { });
        var keys = new List<ReadOnlyMemory<byte>>();
        Assert.NotNull(again.Read(0, HashTree.Segments, int.MaxValue, keys));
        Assert.Equal(["key-1", "key-2"], keys.Select(Bytes.Text).Order(StringComparer.Ordinal));
    }

    /// <summary>What a disk without room puts off, before and while keys are learned.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ACheckpointThatIsPutOff_LosesNothing_AndTheNextIsWhole(bool isWhileLearning)
    {
        var disk = FaultyFiles.WithDirectory("/data");
        using (var index = SegmentIndex.Open(disk, "/data", covered: null, static _ => { }))
        {
            Assert.True(!isWhileLearning || index.TryBeginLearning());
            index.Changed("came-and-went"u8, isLive: true);
            index.Changed("went-and-came"u8, isLive: false);
            index.Changed("before"u8, isLive: true);
            index.BeginCheckpoint();
            index.Changed("came-and-went"u8, isLive: false);
            index.Changed("went-and-came"u8, isLive: true);
            index.Changed("beside"u8, isLive: true);
            index.PutOffCheckpoint();
            index.EndLearning(isWhole: true);
            index.Changed("after"u8, isLive: true);
            AssertHas(index);
            index.BeginCheckpoint();
            index.Write(covered: 20);
            Assert.Equal(0, index.DeltaBytes);
        }

        using var again = SegmentIndex.Open(disk, "/data", covered: 20, static _ => { });
        AssertHas(again);

        static void AssertHas(SegmentIndex index)
        {
            var keys = new List<ReadOnlyMemory<byte>>();
            Assert.NotNull(index.Read(0, HashTree.Segments, int.MaxValue, keys));
            Assert.Equal(["after", "before", "beside", "went-and-came"], keys.Select(Bytes.Text).Order(StringComparer.Ordinal));
        }
    }

    /// <summary>A run that is being written out while keys are learned is none of a checkpoint that begins and is put off meanwhile.</summary>
    [Fact]
    public void ACheckpointThatIsPutOff_LeavesARunThatIsBeingWritten()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        using var index = SegmentIndex.Open(disk, "/data", covered: null, static _ => { });
        Assert.True(index.TryBeginLearning());
        disk.BeforeWrite = _ =>
        {
            disk.BeforeWrite = null;
            index.BeginCheckpoint();
            index.PutOffCheckpoint();
        };
        LearnARun(index);
        Assert.Null(disk.BeforeWrite);
        index.EndLearning(isWhole: true);
        var keys = new List<ReadOnlyMemory<byte>>();
        Assert.NotNull(index.Read(0, HashTree.Segments, int.MaxValue, keys));
        Assert.Equal(LearnedKeys, keys.Count);
        Assert.Equal(0, index.DeltaBytes);
    }

    /// <summary>A checkpoint looks for files of older ones while somebody learns all keys anew and writes them out as he goes.</summary>
    [Fact]
    public void ARunThatIsLearnedWhileOthersAreDeleted_Stays()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        using (var index = SegmentIndex.Open(disk, "/data", covered: null, static _ => { }))
        {
            Assert.True(index.TryBeginLearning());
            index.BeginCheckpoint();
            index.Write(covered: 10);
            disk.BeforeRead = path =>
            {
                if (path == "/data")
                {
                    disk.BeforeRead = null;
                    LearnARun(index);
                }
            };
            index.DeleteOthers(covered: 10);
            Assert.Null(disk.BeforeRead);
            index.EndLearning(isWhole: true);
            index.BeginCheckpoint();
            index.Write(covered: 20);
        }

        using var again = SegmentIndex.Open(disk, "/data", covered: 20, static _ => { });
        Assert.True(again.IsComplete);
    }

    private static void LearnARun(SegmentIndex index)
    {
        for (var key = 0; key < LearnedKeys; key++)
        {
            index.Learn(Bytes.Pattern(LearnedKeyBytes, key));
        }
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
