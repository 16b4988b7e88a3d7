using System.Buffers.Binary;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;

namespace Kv.Storage.Tests;

/// <summary>Trees that cannot be read stop no start: the data is all there, and they are built anew from it.</summary>
public sealed class StoreTreesTests
{
    private static readonly PartitionId One = new(1);

    [Theory]
    [InlineData("missing")]
    [InlineData("damaged")]
    [InlineData("cut")]
    public async Task TreesThatCannotBeRead_AreOnesThatWereNeverBuilt(string how)
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            var batch = new WriteBatch { NewTrees = new HashTrees { Layout = 5 } };
            await store.WriteAsync(batch, Durability.Synced, CancellationToken.None);
            await store.PutTrackedAsync("k", Bytes.Of("v"));
        }

        var path = Assert.Single(Directory.GetFiles(directory.Path, "trees.*", SearchOption.AllDirectories));
        Spoil(path, how);
        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            Assert.Equal("v", await store.GetTextAsync("k"));
            Assert.Equal(0UL, store.Trees.Layout);
            Assert.Empty(store.Trees.Ranges);
            await store.PutTrackedAsync("k", Bytes.Of("w"));
        }

        // The next checkpoint has trees again, and the spoilt ones are gone.
        Assert.NotEqual(path, Assert.Single(Directory.GetFiles(directory.Path, "trees.*", SearchOption.AllDirectories)));
    }

    [Fact]
    public void BatchOfAnOlderProgram_ChangesItsSegments()
    {
        var batch = new WriteBatch();
        batch.Change(new TreeChange(TreeOperations.Range, HashTree.MaxDepth, 0xFFFF));
        var record = new BatchRecord();
        record.Begin(batch);
        var payload = new byte[record.Length];
        record.CopyTo(payload);
        payload[0] = 2;
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(18), 40_000);
        var trees = BatchRecord.ReadTrees(payload, new HashTrees());
        Assert.Equal(0xFFFFu, trees.Find(TreeOperations.Range)!.HashOf(40_000, 0));
        Assert.Equal(0xFFFFu, trees.Find(TreeOperations.Range)!.Root);
    }

    [Fact]
    public async Task TreesOfAnOlderProgram_AreRead()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        await using (var engine = TestEngine.Open(options))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.PutAsync("k", "v");
        }

        var path = Assert.Single(Directory.GetFiles(directory.Path, "trees.*", SearchOption.AllDirectories));
        byte[] old =
        [
            1, 9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
            5, 0, 0, 0, 3, 1, 0, 0, 0, 2, .. Enumerable.Range(0, 256).SelectMany(leaf => BitConverter.GetBytes(leaf == 7 ? 0xFEDCBA98 : 0)),
        ];
        SealedFile.Write(DiskFiles.Instance, path, SealedFileKind.StoreTrees, StoreTreesFile.FormatVersion, old);
        await using (var engine = TestEngine.Open(options))
        {
            var trees = (await engine.OpenAsync(One, CancellationToken.None)).Trees;
            Assert.Equal((9UL, 5L, 0xFEDCBA98), (trees.Layout, trees.BuiltAt, trees.Find(TreeOperations.Range)!.HashOf((2 * 256) + 7, 0)));
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
                bytes[bytes.Length / 2] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            default:
                File.WriteAllBytes(path, bytes[..10]);
                break;
        }
    }
}
