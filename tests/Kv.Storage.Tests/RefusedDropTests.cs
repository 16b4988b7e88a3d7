using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>The log has no memory for the record of a drop: nothing is changed, and it is dropped when it is tried again.</summary>
public sealed class RefusedDropTests
{
    private static readonly PartitionId One = new(1);
    private static readonly StorageOptions Options = TestEngine.Options("/data/node");

    [Fact]
    public async Task TheStoreIsAsItWas_AndIsDroppedWhenThatIsTriedAgain()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var clock = new FailingClock();
        var failures = new List<StoreException>();
        await using (var engine = StorageEngine.Open(Options, failures.Add, disk, clock, runsUpkeep: false))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.PutAsync("k", "v");
            clock.FailAtTheSecondCall();
            await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.DropAsync(CancellationToken.None));
            Assert.Equal("v", await store.GetTextAsync("k"));
            await store.PutAsync("l", "w");
            Assert.Equal(2, (await store.FoldAllAsync()).Count);
            await engine.UpkeepOnceAsync();
            await store.DropAsync(CancellationToken.None);
            Assert.Empty(engine.Partitions);
            Assert.Equal(0, (await engine.OpenAsync(One, CancellationToken.None)).ApproximateCount);
        }

        Assert.Empty(failures);
    }

    [Fact]
    public async Task DamageThatIsMetMeanwhile_ClosesIt()
    {
        var disk = FaultyFiles.WithDirectory("/data");
        var clock = new FailingClock();
        await using (var filled = TestEngine.Open(Options, disk))
        {
            var first = await filled.OpenAsync(One, CancellationToken.None);
            for (var key = 0; key < 400; key++)
            {
                await first.PutAsync($"key-{key}", Bytes.Pattern(300, key), Durability.Memory);
            }
        }

        await using var engine = StorageEngine.Open(Options, static _ => { }, disk, clock, runsUpkeep: false);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        const string records = "/data/node/stores/p00001-00000000000000000001/records.0";
        disk.Rot(records, disk.Content(records).AsSpan().IndexOf(Bytes.Pattern(300, 5)));
        ValueTask dropping = default;
        disk.BeforeRead = path =>
        {
            if (path == records)
            {
                // Whoever reads is inside still, and the drop waits for him.
                disk.BeforeRead = null;
                clock.FailAtTheSecondCall();
                dropping = store.DropAsync(CancellationToken.None);
            }
        };
        await Assert.ThrowsAsync<StoreDamagedException>(() => store.GetAsync("key-5"));
        await Assert.ThrowsAsync<StoreRefusedException>(async () => await dropping);
        await engine.DiscardAsync(One, CancellationToken.None);
        Assert.Equal(0, (await engine.OpenAsync(One, CancellationToken.None)).ApproximateCount);
    }

    /// <summary>No memory where the log takes a record: it asks for the time after the store that is dropped did.</summary>
    private sealed class FailingClock : TimeProvider
    {
        private int callsLeft;

        public void FailAtTheSecondCall() => Volatile.Write(ref callsLeft, 2);

        public override long GetTimestamp() =>
            Interlocked.Decrement(ref callsLeft) == 0 ? throw new InsufficientMemoryException() : base.GetTimestamp();
    }
}
