using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A page that could not be read while a checkpoint was recovered is zeros in memory: nothing of it may come to the disk, where what the checkpoint covers lies whole.</summary>
public sealed class FailedReadInRecoveryTests
{
    private const int Checkpointed = 300;
    private const int Later = 150;
    private static readonly PartitionId One = new(1);
    private static readonly StorageOptions Options = TestEngine.Options("/data/node");

    [Fact]
    public async Task RecordsThatCouldNotBeRead_AreThereAtTheNextStart()
    {
        var disk = await CrashedBehindACheckpointAsync();
        var failures = new List<StoreException>();
        await using (var engine = TestEngine.Open(Options, disk, failures: failures))
        {
            disk.BeforeRead = static path => _ = IsOfRecords(path) ? throw new IOException("Input/output error") : 0;
            var failure = await Assert.ThrowsAsync<StoreException>(async () => await engine.OpenAsync(One, CancellationToken.None));
            Assert.Contains("Input/output error", failure.Message, StringComparison.Ordinal);
        }

        Assert.Single(failures);
        disk.BeforeRead = null;
        await using var again = TestEngine.Open(Options, disk);
        var store = await again.OpenAsync(One, CancellationToken.None);
        for (var key = 0; key < Checkpointed + Later; key++)
        {
            Assert.True((await store.GetAsync($"key-{key}")) is { } value && value.Span.SequenceEqual(Bytes.Pattern(1001, key)), $"key-{key} is not as it was written");
        }
    }

    /// <summary>A checkpoint that ends within a sector, and behind it more in the log than fits in memory, so that a replay writes pages.</summary>
    private static async Task<FaultyFiles> CrashedBehindACheckpointAsync()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(Options, disk);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        for (var key = 0; key < Checkpointed + Later; key++)
        {
            await store.PutAsync($"key-{key}", Bytes.Pattern(1001, key));
            if (key == Checkpointed - 1)
            {
                await engine.UpkeepOnceAsync();
                Assert.Equal(1, engine.Statistics.Checkpoints);
            }
        }

        return disk.Capture().Keep();
    }

    private static bool IsOfRecords(string path) => Path.GetFileName(path).StartsWith("records.", StringComparison.Ordinal);
}
