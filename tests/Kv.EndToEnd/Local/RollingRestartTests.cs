using Kv.Core.Objects;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>A ring on this machine whose nodes are all started again, because its manifest says so, one by one while it serves.</summary>
public sealed class RollingRestartTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RestartingNodeByNodeUnderLoad_LosesNothing()
    {
        await using var run = await LocalRun.StartAsync(3, Cancel);
        await using var client = await run.ConnectAsync(Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writing = ledger.WriteAsync(client, writers: 8, untilAcknowledged: int.MaxValue, stop.Token, pause: TimeSpan.FromMilliseconds(20));
        var old = run.Pids().Values.ToHashSet();

        await run.RestartAllAsync("as a test", Cancel);
        await Eventually.AsyncTrue(
            () => Task.FromResult(run.Pids() is { Count: 3 } now && !now.Values.Any(old.Contains)),
            TimeSpan.FromMinutes(5),
            () => $"every node was started anew:\n{run.Output}",
            Cancel);
        await run.WaitForNodesAsync(3, Cancel);
        await Rings.HintsReturnedAsync(run, Cancel);
        await stop.CancelAsync();
        await writing;

        Assert.Empty(ledger.Faults);
        await Eventually.AsyncTrue(async () => (await ledger.VerifyAsync(client, Cancel)).Count == 0, TimeSpan.FromMinutes(1), () => "every write can be read", Cancel);
        Assert.Empty(await ledger.VerifyRepairedOwnersAsync(client, Cancel));
    }
}
