using CsCheck;
using Kv.Chaos.Machines;
using Xunit;

namespace Kv.Chaos.Tests.Machines;

public sealed class BitRotTests : IDisposable
{
    private readonly string stores = Directory.CreateTempSubdirectory("kv-rot-").FullName;

    public void Dispose() => Directory.Delete(stores, recursive: true);

    [Fact]
    public void OneBit_OfAFileOfAnOwnedStore_ThatACheckpointCovers() => Gen.Int.Sample(
        seed =>
        {
            byte[] records = [.. new byte[600], .. Enumerable.Repeat((byte)7, 600), .. new byte[100]];
            Write("p3-1/checkpoint", [1, 2, 3]);
            Write("p3-1/records.0", records);
            Write("p4-2/checkpoint", [1, 2, 3]);
            Write("p5-3/records.0", records);
            var rot = BitRot.Strike(stores, new HashSet<int> { 3, 5 }, new Random(seed));

            Assert.NotNull(rot);
            Assert.Equal(3, rot.Partition);
            var (before, after) = (Path.GetFileName(rot.File) == "checkpoint" ? [1, 2, 3] : records, File.ReadAllBytes(rot.File));
            Assert.Equal([(int)rot.Offset], Enumerable.Range(0, after.Length).Where(i => before[i] != after[i]));
            Assert.Equal(1, int.PopCount(before[rot.Offset] ^ after[rot.Offset]));
            Assert.True(before[rot.Offset] != 0 && rot.Offset < 1024);
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void WithoutACheckpoint_NothingRots()
    {
        Write("p3-1/records.0", [1]);
        Assert.Null(BitRot.Strike(stores, new HashSet<int> { 3 }, new Random(1)));
    }

    private void Write(string name, byte[] bytes)
    {
        var path = Path.Combine(stores, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }
}
