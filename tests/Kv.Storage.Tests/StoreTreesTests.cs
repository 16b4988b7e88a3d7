using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

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
