using CsCheck;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Memory;

namespace Kv.Storage.Tests;

/// <summary>The same random operations against the memory store and FASTER in several configurations give the same answers.</summary>
public sealed class MetamorphicTests
{
    private static readonly Gen<(int What, int Key, int Length)[]> Operations =
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 39], Gen.Frequency((8, Gen.Int[0, 900]), (1, Gen.Int[0, 40_000]))).Array[50, 200];

    [Theory]
    [InlineData(4096, 64 * 1024)]
    [InlineData(16 * 1024, 64 * 1024)]
    [InlineData(64 * 1024, 1024 * 1024)]
    public void Faster_AnswersAsMemoryDoes(int pageBytes, long memoryBytes) =>
        Operations.Sample(operations => RunAsync(operations, pageBytes, memoryBytes, static _ => StoreBackend.Hash).GetAwaiter().GetResult(), iter: 12, threads: 1);

    [Fact]
    public void Ordered_AnswersAsMemoryDoes() =>
        Operations.Sample(operations => RunAsync(operations, 4096, 64 * 1024, BackedStores.Ordered).GetAwaiter().GetResult(), iter: 12, threads: 1);

    [Fact]
    public void OrderedBesideFaster_AnswersAsMemoryDoes() =>
        Operations.Sample(operations => RunAsync(operations, 4096, 64 * 1024, BackedStores.Mixed).GetAwaiter().GetResult(), iter: 12, threads: 1);

    private static async Task RunAsync((int What, int Key, int Length)[] operations, int pageBytes, long memoryBytes, Func<ReadOnlyMemory<byte>, StoreBackend> backendOf)
    {
        using var directory = new TemporaryDirectory();
        var options = TestEngine.Options(directory.Path) with
        {
            PageBytes = pageBytes,
            StoreMemoryBytes = memoryBytes,
            StoreSegmentBytes = Math.Max(pageBytes, 32 * 1024),
            StoreIndexBytes = 4096,
            CheckpointLogBytes = 64 * 1024,
            CompactionMinBytes = 4L * pageBytes,
            CompactionFactor = 1.3,
        };
        await using var memory = new MemoryPartitionStores();
        var model = await memory.OpenAsync(new PartitionId(1), CancellationToken.None);
        var engine = TestEngine.Open(options);
        try
        {
            var store = await new BackedStores(engine, backendOf).OpenAsync(new PartitionId(1), CancellationToken.None);
            foreach (var (what, number, length) in operations)
            {
                var key = $"key-{number}";
                switch (what)
                {
                    case < 45:
                        var value = Bytes.Pattern(length, what + length);
                        await model.PutTrackedAsync(key, value);
                        await store.PutTrackedAsync(key, value, Durability.Memory);
                        break;
                    case < 60:
                        await model.PutTrackedAsync(key, null);
                        await store.PutTrackedAsync(key, null);
                        break;
                    case < 85:
                        Assert.Equal((await model.GetAsync(key))?.ToArray(), (await store.GetAsync(key))?.ToArray());
                        break;
                    case < 95:
                        await engine.UpkeepOnceAsync();
                        break;
                    case < 96:
                        await engine.DisposeAsync();
                        engine = TestEngine.Open(options);
                        store = await new BackedStores(engine, backendOf).OpenAsync(new PartitionId(1), CancellationToken.None);
                        break;
                    case < 98:
                        await ChangeIndexAsync(model, number, length);
                        await ChangeIndexAsync(store, number, length);
                        break;
                    default:
                        Assert.Equal(await model.ScanAllAsync(ScanSpace.Index, "", ""), await store.ScanAllAsync(ScanSpace.Index, "", "", 1 + number));
                        Assert.Equal(await model.FoldAllAsync(), await store.FoldAllAsync());
                        break;
                }

                Assert.Equal(model.ApproximateCount, store.ApproximateCount);
                Assert.Equal(model.ApproximateBytes, store.ApproximateBytes);
                Assert.Equal(model.Trees.Encode(), store.Trees.Encode());
            }

            Assert.Equal(await model.ScanAllAsync(ScanSpace.Index, "1", "3"), await store.ScanAllAsync(ScanSpace.Index, "1", "3", 2));
            var all = await model.FoldAllAsync();
            Assert.Equal(all, await store.FoldAllAsync());
            await store.AssertSegmentsAreOfAsync(all.Keys.Select(key => Bytes.Text(Convert.FromHexString(key))));
        }
        finally
        {
            await engine.DisposeAsync();
        }
    }

    private static async Task ChangeIndexAsync(IPartitionStore store, int number, int length)
    {
        var batch = new WriteBatch();
        batch.Change(new IndexChange(Bytes.Of($"{number}/{length % 7}"), IsAdded: true));
        batch.Change(new IndexChange(Bytes.Of($"{number}/{length % 3}"), IsAdded: false));
        await store.WriteAsync(batch, Durability.Memory, CancellationToken.None);
    }
}
