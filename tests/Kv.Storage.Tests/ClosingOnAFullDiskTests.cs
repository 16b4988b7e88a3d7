using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Tests.Files;

namespace Kv.Storage.Tests;

/// <summary>A store that is closed where there is no room for its last checkpoint.</summary>
public sealed class ClosingOnAFullDiskTests
{
    private static readonly PartitionId One = new(1);

    private readonly FaultyFiles disk = FaultyFiles.WithDirectory("/data");

    [Fact]
    public async Task OneWithNothingNew_NeedsNone()
    {
        var failures = new List<StoreException>();
        await using var engine = TestEngine.Open(TestEngine.Options("/data/node") with { CheckpointIntervalSeconds = 1, CheckpointLogBytes = 64 * 1024 }, disk, failures: failures);
        var store = await engine.OpenAsync(One, CancellationToken.None);
        await store.PutAsync("k", new string('v', 100_000));
        await engine.UpkeepOnceAsync();
        disk.FreeBytesLeft = 0;
        await engine.UpkeepOnceAsync();
        await store.DisposeAsync();
        Assert.Empty(failures);

        store = await engine.OpenAsync(One, CancellationToken.None);
        Assert.NotNull(await store.GetTextAsync("k"));
        disk.MakeRoom();
    }

    /// <summary>The counters of its writers are recorded next, as those of a clean stop: no write may be lost that they count.</summary>
    [Fact]
    public async Task WhatNobodyWaitedFor_IsOnTheDiskFirst()
    {
        var options = TestEngine.Options("/data/node") with { LogIntervalMilliseconds = 60_000 };
        await using (var engine = TestEngine.Open(options, disk))
        {
            var store = await engine.OpenAsync(One, CancellationToken.None);
            await store.PutAsync("k", "v", Durability.Interval);
            disk.FreeBytesLeft = 0;
            await engine.UpkeepOnceAsync();
            await store.DisposeAsync();

            var crashed = disk.Capture().Settle(1);
            crashed.MakeRoom();
            await using var again = TestEngine.Open(options, crashed);
            Assert.Equal("v", await (await again.OpenAsync(One, CancellationToken.None)).GetTextAsync("k"));
            disk.MakeRoom();
        }
    }
}
