using Kv.Core.Objects;
using Kv.EndToEnd.Kubernetes;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>
/// A ring of the program as it was at the commit before, taken to this one node by node while it serves: in between nodes of both are one ring, and data that the
/// old one wrote is read by the new one.
/// </summary>
public sealed class MixedVersionsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task UpgradingNodeByNodeUnderLoad_LosesNothing()
    {
        var previous = await Command.RunAsync(SourceTree.Path(".build", "previous-node"), [], TimeSpan.FromMinutes(8), cancel: Cancel);
        Missing.Require(previous.Succeeded ? null : $"the program of the commit before cannot be built: {previous}");
        var link = Path.Combine(Path.GetTempPath(), $"kv-node-{Guid.NewGuid():n}");
        try
        {
            PointTo(link, previous.Output.Trim());
            await using var run = await LocalRun.StartAsync(3, Cancel, link);
            await using var client = await run.ConnectAsync(Cancel);
            var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var writing = ledger.WriteAsync(client, writers: 8, untilAcknowledged: int.MaxValue, stop.Token, pause: TimeSpan.FromMilliseconds(20));
            var old = run.Pids().Values.ToHashSet();

            PointTo(link, SourceTree.Path("bin", "kv-node"));
            await run.RestartAllAsync("upgrade", Cancel);
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
        finally
        {
            File.Delete(link);
        }
    }

    private static void PointTo(string link, string program)
    {
        File.CreateSymbolicLink(link + ".new", program);
        File.Move(link + ".new", link, overwrite: true);
    }
}
