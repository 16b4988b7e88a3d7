using Kv.Core.Rings;
using Kv.Storage.Faster;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A checkpoint that waits for pages which a fold has sent to a slow disk: it waits until they are written, and holds no thread meanwhile.</summary>
public sealed class CheckpointWaitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhileADiskIsSlow_ItHoldsNoThread()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node") with { StoreMemoryBytes = 1024 * 1024 }, disk);
        var store = (FasterPartitionStore)await engine.OpenAsync(new PartitionId(1), Cancel);
        for (var key = 0; key < 20; key++)
        {
            await store.PutAsync($"key-{key}", Bytes.Pattern(4000, key));
        }

        using var isSlow = new ManualResetEventSlim();
        using var isWriting = new ManualResetEventSlim();
        disk.BeforeWrite = path =>
        {
            if (Path.GetFileName(path) == $"{StoreLog.FileName}.0" && !isWriting.IsSet)
            {
                isWriting.Set();
                Assert.True(isSlow.Wait(Patience));
            }
        };
        await using var fold = store.FoldAsync(Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await fold.MoveNextAsync());
        Assert.True(isWriting.Wait(Patience, Cancel));

        // All of it on one thread: while it spins there, nothing else comes to run.
        var alone = new TaskFactory(new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        var checkpoint = await alone.StartNew(store.CheckpointAsync, Cancel);
        for (var turn = 0; turn < 100; turn++)
        {
            await alone.StartNew(static () => Thread.Yield(), Cancel).WaitAsync(Patience, Cancel);
        }

        Assert.False(checkpoint.IsCompleted);
        isSlow.Set();
        await checkpoint.WaitAsync(Patience, Cancel);
        Assert.Equal(1, engine.Statistics.Checkpoints);
    }
}
