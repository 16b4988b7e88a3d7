using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>What lies beside the data and cannot be used is made anew, and somebody is told, with the file and the place in it.</summary>
public sealed class UnusableFilesTests
{
    private static readonly PartitionId One = new(1);

    [Theory]
    [InlineData("trees.*")]
    [InlineData("segments.*")]
    [InlineData("keys.*")]
    public async Task DamagedFile_IsTold_AndTheStoreOpens(string pattern)
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        var told = new ToldLogger();
        await using (var engine = StorageEngine.Open(options, static _ => { }, logger: told))
        {
            await (await engine.OpenAsync(One, CancellationToken.None)).PutAsync("k", "v");
        }

        Assert.Empty(told.Warnings);
        var path = Assert.Single(Directory.GetFiles(directory.Path, pattern, SearchOption.AllDirectories));
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        await using (var engine = StorageEngine.Open(options, static _ => { }, logger: told))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            _ = await store.ReadSegmentsAsync(0, HashTree.Segments, 1, [], CancellationToken.None);
            Assert.NotNull(await store.GetAsync("k"));
        }

        var warning = Assert.Single(told.Warnings);
        Assert.Contains(path, warning, StringComparison.Ordinal);
        Assert.Contains("offset", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingFiles_AreNobodysDamage()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        var told = new ToldLogger();
        await using (var engine = StorageEngine.Open(options, static _ => { }, logger: told))
        {
            await (await engine.OpenAsync(One, CancellationToken.None)).PutAsync("k", "v");
        }

        foreach (var path in new[] { "trees.*", "segments.*" }.SelectMany(pattern => Directory.GetFiles(directory.Path, pattern, SearchOption.AllDirectories)))
        {
            File.Delete(path);
        }

        await using (var engine = StorageEngine.Open(options, static _ => { }, logger: told))
        {
            await engine.OpenAsync(One, CancellationToken.None);
        }

        Assert.Empty(told.Warnings);
    }

    [Fact]
    public async Task MarkOfADamagedPartition_ThatCannotBeRead_IsTold_AndCounts()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        await using (var engine = StorageEngine.Open(options, static _ => { }))
        {
            await (await engine.OpenAsync(One, CancellationToken.None)).PutAsync("k", "v");
        }

        var path = Path.Combine(directory.Path, "stores", "p00001.damaged");
        File.WriteAllText(path, "no mark");
        var told = new ToldLogger();
        await using (var engine = StorageEngine.Open(options, static _ => { }, logger: told))
        {
            await Assert.ThrowsAsync<StoreDamagedException>(async () => await engine.OpenAsync(One, CancellationToken.None));
        }

        Assert.Contains(path, Assert.Single(told.Warnings), StringComparison.Ordinal);
    }
}
