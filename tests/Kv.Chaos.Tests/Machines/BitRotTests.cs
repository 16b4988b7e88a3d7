using CsCheck;
using Kv.Chaos.Machines;
using Xunit;

namespace Kv.Chaos.Tests.Machines;

public sealed class BitRotTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("kv-rot-").FullName;
    private readonly Dictionary<string, byte[]> written = [];

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public void OneBit_OfAFileOfAnOwnedStore_ThatACheckpointCovers() => Gen.Int.Sample(
        seed =>
        {
            Write("stores/p3-1/checkpoint", Filled(20));
            Write("stores/p3-1/records.0", [.. new byte[600], .. Filled(600), .. new byte[100]]);
            Write("stores/p4-2/checkpoint", Filled(20));
            Write("stores/p5-3/records.0", Filled(1200));
            var rot = Strike(seed, 3, 5);
            Assert.Equal(3, rot.Partition);
            Assert.True(rot.Offset < 1024 && (Path.GetFileName(rot.File) != "checkpoint" || rot.Offset >= 16));
            Assert.False(rot.MayBeDeletedUnread);
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void OneBit_OfTheBeginningOfOrderedRecords() => Gen.Int.Sample(
        seed =>
        {
            Write("stores/p3-1/ordered/000009.sst", Filled(900));
            Write("stores/p3-1/ordered/MANIFEST-000004", Filled(900));
            Write("stores/p4-1/ordered/000009.sst", Filled(900));
            var rot = Strike(seed, 3);
            Assert.Equal((3, "000009.sst"), (rot.Partition, Path.GetFileName(rot.File)));
            Assert.InRange(rot.Offset, 0, 31);
        },
        iter: 50,
        threads: 1);

    [Fact]
    public void OneBit_OfTheLog_OfItsNewestSegmentTheHeaderAlone_OrOfTheDocument_IsOfTheWholeNode() => Gen.Int.Sample(
        seed =>
        {
            Write("log/00000000000000000001.log", [.. Filled(1500), .. new byte[500]]);
            Write("log/00000000000000000090.log", Filled(1500));
            Write("log/manifest", Filled(100));
            Write("log/next.ready", new byte[100]);
            Write("state/cluster-document.state", Filled(100));
            Write("state/actors.state", Filled(100));
            var rot = Strike(seed, 3);
            Assert.Null(rot.Partition);
            var name = Path.GetFileName(rot.File);
            Assert.Contains(name, new[] { "00000000000000000001.log", "00000000000000000090.log", "cluster-document.state" });
            Assert.InRange(rot.Offset, 16, name.Contains("90", StringComparison.Ordinal) ? 43 : 1023);
        },
        iter: 100,
        threads: 1);

    [Fact]
    public void EveryKindIsStruck_ByOneSeedOrAnother()
    {
        Write("stores/p3-1/checkpoint", Filled(20));
        Write("stores/p3-1/ordered/000009.sst", Filled(900));
        Write("log/00000000000000000001.log", Filled(1500));
        Write("state/cluster-document.state", Filled(100));
        Assert.Equal(4, Enumerable.Range(0, 100).Select(seed => Path.GetExtension(BitRot.Strike(data, new HashSet<int> { 3 }, new Random(seed))!.File)).Distinct().Count());
    }

    [Fact]
    public void WithoutACheckpoint_NothingRots()
    {
        Write("stores/p3-1/records.0", [1]);
        Assert.Null(BitRot.Strike(data, new HashSet<int> { 3 }, new Random(1)));
    }

    private static byte[] Filled(int length) => [.. Enumerable.Repeat((byte)7, length)];

    /// <summary>What was struck, which is one bit of what was written and not empty there.</summary>
    private BitRot Strike(int seed, params int[] partitions)
    {
        var rot = BitRot.Strike(data, partitions.ToHashSet(), new Random(seed));
        Assert.NotNull(rot);
        var (before, after) = (written[Path.GetRelativePath(data, rot.File)], File.ReadAllBytes(rot.File));
        Assert.Equal([(int)rot.Offset], Enumerable.Range(0, after.Length).Where(i => before[i] != after[i]));
        Assert.Equal(1, int.PopCount(before[rot.Offset] ^ after[rot.Offset]));
        Assert.True(before[rot.Offset] != 0);
        return rot;
    }

    private void Write(string name, byte[] bytes)
    {
        var path = Path.Combine(data, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        written[name] = bytes;
    }
}
