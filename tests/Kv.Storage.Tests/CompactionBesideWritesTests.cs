using System.Globalization;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Storage.Tests;

/// <summary>Compaction and checkpoints without a pause beside writes: no key is lost, and nothing stands still. KV_COMPACTION_ROUNDS asks for more rounds.</summary>
public sealed class CompactionBesideWritesTests
{
    private const int Keys = 500;

    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("KV_COMPACTION_ROUNDS") ?? "30", CultureInfo.InvariantCulture);

    [Fact]
    public async Task EveryKey_StaysReadable()
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var directory = new TemporaryDirectory();
            var options = TestEngine.Options(directory.Path) with
            {
                CheckpointLogBytes = 64 * 1024,
                CompactionMinBytes = 64 * 1024,
                CompactionFactor = 1.2,
                MaintenanceIntervalMilliseconds = 10,
            };
            await using var stores = TestEngine.Open(options, runsUpkeep: true);
            var store = await stores.OpenAsync(new PartitionId(7), CancellationToken.None);
            for (var index = 0; index < 20 * Keys; index++)
            {
                await store.PutAsync($"key-{index % Keys}", Bytes.Pattern(200 + (index / Keys), index % Keys), Durability.Memory);
            }

            var all = await store.FoldAllAsync();
            for (var index = 0; index < Keys; index++)
            {
                var expected = Bytes.Pattern(219, index);
                Assert.True(all.TryGetValue(Convert.ToHexString(Bytes.Of($"key-{index}").Span), out var folded) && folded.AsSpan().SequenceEqual(expected), $"round {round}: the fold lacks key-{index}, or has another value");
                Assert.True((await store.GetAsync($"key-{index}"))?.Span.SequenceEqual(expected) == true, $"round {round}: key-{index} is lost");
            }
        }
    }
}
