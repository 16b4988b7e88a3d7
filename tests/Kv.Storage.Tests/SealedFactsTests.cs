using System.Text.RegularExpressions;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;
using Kv.Storage.State;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>The small files that say what the large ones are: each byte of each rots, and each is of a version that this program does not know. Found and told with file and number, or not needed; never believed.</summary>
public sealed class SealedFactsTests
{
    private const string Root = "/data/node";
    private const string StoreDirectory = Root + "/stores/p00001-00000000000000000001";
    private const int Keys = 6;
    private static readonly PartitionId One = new(1);
    private static readonly StorageOptions Options = StorageScript.Options(Root);

    [Theory]
    [InlineData("engine$")]
    [InlineData("log/manifest$")]
    [InlineData("/checkpoint$")]
    [InlineData("/checksums$")]
    [InlineData("/sectors$")]
    [InlineData("/trees\\.\\d+$")]
    [InlineData("/segments\\.\\d+$")]
    [InlineData("/keys\\.\\d+$")]
    public async Task AnyByteThatRots_IsFoundWithFileAndOffset_OrChangesNothing(string which)
    {
        var written = await WrittenAsync();
        var path = PathOf(written, which);
        var isDerived = path.Contains("/trees.", StringComparison.Ordinal) || path.Contains("/segments.", StringComparison.Ordinal) || path.Contains("/keys.", StringComparison.Ordinal);
        var image = written.Capture();
        var length = written.Content(path).Length;
        for (var at = 0; at < length; at += at < 256 ? 1 : 101)
        {
            var disk = image.Settle(1);
            disk.Rot(path, at, (byte)(1 << (at % 8)));
            var told = await ReadAllAsync(disk, $"{path} at {at}");
            Assert.True(isDerived ? told is null : told is not null, $"{path} at {at}: {told ?? "nothing was said"}");
            if (told is not null)
            {
                Assert.Matches($"{Regex.Escape(path)} (is damaged at offset|has format version|at offset)", told);
            }
        }
    }

    [Theory]
    [InlineData("engine$", 12)]
    [InlineData("log/manifest$", 12)]
    [InlineData("log/0*1\\.log$", 8)]
    [InlineData("/checkpoint$", 12)]
    [InlineData("/checksums$", 12)]
    [InlineData("/sectors$", 12)]
    public async Task AnUnknownVersion_IsRefusedWithItsNumber_AndIsNoDamage(string which, int offset)
    {
        var disk = await WrittenAsync();
        disk.Rot(PathOf(disk, which), offset, flip: 0x40);
        Assert.Contains("format version 65", await ReadAllAsync(disk, which), StringComparison.Ordinal);
        Assert.DoesNotContain(disk.List(Root + "/stores"), name => name.EndsWith(".damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnUnknownVersionOfAMarkOfDamage_IsRefusedWithItsNumber()
    {
        var disk = await WrittenAsync();
        disk.Rot(StoreDirectory + "/checkpoint", 30);
        Assert.NotNull(await ReadAllAsync(disk, "damaged"));
        disk.Rot(Root + "/stores/p00001.damaged", 12, flip: 0x40);
        Assert.Contains("format version 65", Assert.Throws<StoreException>(() => TestEngine.Open(Options, disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyByteOfAMarkOfDamage_ThatRots_LeavesThePartitionDamaged()
    {
        const string mark = Root + "/stores/p00001.damaged";
        var written = await WrittenAsync();
        written.Rot(StoreDirectory + "/checkpoint", 30);
        Assert.NotNull(await ReadAllAsync(written, "damaged"));
        var image = written.Capture();
        for (var at = 0; at < written.Content(mark).Length; at++)
        {
            var disk = image.Settle(1);
            disk.Rot(mark, at, (byte)(1 << (at % 8)));
            Assert.NotNull(await ReadAllAsync(disk, $"{mark} at {at}"));
        }
    }

    [Fact]
    public async Task AnUnknownVersionOfABatchInTheLog_IsRefusedWithItsNumber()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        DiskImage died;
        await using (var engine = TestEngine.Open(Options, disk))
        {
            await (await engine.OpenAsync(One, CancellationToken.None)).PutAsync("key", "in the log alone");
            died = disk.Capture();
        }

        disk = died.Settle(1);
        var path = PathOf(disk, "log/0*1\\.log$");
        var record = disk.Content(path)[LogSegment.HeaderBytes..];
        record[LogRecord.HeaderBytes] = 99;
        var length = LogRecord.Seal(record);
        using (var segment = disk.Open(path, Storage.Files.FileOpening.Existing))
        {
            segment.Write(LogSegment.HeaderBytes, record.AsSpan(0, length));
        }

        Assert.Contains("format version 99", await ReadAllAsync(disk, path), StringComparison.Ordinal);
        Assert.DoesNotContain(disk.List(Root + "/stores"), name => name.EndsWith(".damaged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnyByteOfANodesFact_ThatRots_IsFoundWithFileAndOffset()
    {
        const string path = "/data/state/fact.state";
        var disk = FaultyFiles.WithDirectory("/data");
        await new FileNodeState(disk, "/data/state").WriteAsync("fact", Bytes.Pattern(40, 1), CancellationToken.None);
        for (var at = 0; at < disk.Content(path).Length; at++)
        {
            var flip = (byte)(1 << (at % 8));
            disk.Rot(path, at, flip);
            var refusal = await Assert.ThrowsAsync<StoreException>(async () => await new FileNodeState(disk, "/data/state").ReadAsync("fact", CancellationToken.None));
            Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
            Assert.Contains(at is >= 12 and < 16 ? "format version" : "at offset", refusal.Message, StringComparison.Ordinal);
            disk.Rot(path, at, flip);
        }
    }

    private static async Task<FaultyFiles> WrittenAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options, disk);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        for (var key = 0; key < Keys; key++)
        {
            await store.PutTrackedAsync($"key-{key}", Bytes.Pattern(300, key));
        }

        return disk;
    }

    private static string PathOf(FaultyFiles disk, string which)
    {
        IEnumerable<string> Below(string directory) => disk.List(directory).Select(name => Path.Combine(directory, name)).SelectMany(path => Below(path).Prepend(path));
        return Assert.Single(Below(Root), path => Regex.IsMatch(path, which));
    }

    /// <summary>What was told instead of the data; null where all of the data is as it was written, and what is derived of it is right or is not there.</summary>
    private static async Task<string?> ReadAllAsync(FaultyFiles disk, string context)
    {
        try
        {
            await using var engine = TestEngine.Open(Options, disk);
            var store = await engine.OpenAsync(One, CancellationToken.None);
            var entries = new Dictionary<string, byte[]>();
            for (var key = 0; key < Keys; key++)
            {
                var value = await store.GetAsync($"key-{key}");
                Assert.True(value?.Span.SequenceEqual(Bytes.Pattern(300, key)), $"{context}: key-{key}");
                entries[$"key-{key}"] = value!.Value.ToArray();
            }

            if (store.Trees.Find(TreeOperations.Range) is not null)
            {
                store.AssertTreeIsOf(entries, context);
            }

            await store.ReadSegmentsAsync(0, HashTree.Segments, int.MaxValue, [], CancellationToken.None);
            if (store.HasSegments)
            {
                await store.AssertSegmentsAreOfAsync(entries.Keys, context: context);
            }

            return null;
        }
        catch (StoreException told)
        {
            return told.Message;
        }
    }
}
