using System.Globalization;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>What compaction let go is gone from the disk with the checkpoint that follows, also where nothing is written any more.</summary>
public sealed class FilesLetGoTests
{
    [Fact]
    public async Task AStoreAtRest_HasNoFileOfRecordsThatItNeedsNoMore()
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path);
        await using var stores = TestEngine.Open(options);
        var store = await stores.OpenAsync(new PartitionId(3), CancellationToken.None);
        for (var round = 0; round < 10; round++)
        {
            for (var write = 0; write < 200; write++)
            {
                await store.PutAsync($"key-{write % 10}", Bytes.Pattern(4000, write), Durability.Memory);
            }

            await stores.UpkeepOnceAsync();
            await stores.UpkeepOnceAsync();
            await stores.UpkeepOnceAsync();
            var records = Directory.GetFiles(directory.Path, "records.*", SearchOption.AllDirectories).Where(file => file.Contains("stores", StringComparison.Ordinal)).ToList();

            // Live is next to nothing: what is below the compaction's bound, and the rest of the first file, of which a part has been let go.
            var most = options.CompactionMinBytes + options.StoreSegmentBytes;
            var bytes = records.Sum(file => new FileInfo(file).Length);
            Assert.True(bytes <= most, string.Create(CultureInfo.InvariantCulture, $"round {round}: {bytes} bytes, more than {most}, in {string.Join(", ", records.Select(Path.GetFileName))}"));
        }
    }
}
