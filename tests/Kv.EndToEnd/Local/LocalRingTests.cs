using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>What the project promises of a ring on one machine: processes are killed as a machine would, and nothing acknowledged is lost.</summary>
public sealed class LocalRingTests
{
    private const int Writers = 32;

    /// <summary>All owners of a key, and nobody else, have it.</summary>
    private static readonly GetOptions OwnersAlone = new() { Pr = QuorumValue.All, R = QuorumValue.All, NotFoundOk = false, SloppyQuorum = false };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KillingTwoOfFiveNodes_StopsNothing_AndLosesNothing()
    {
        await using var run = await LocalRun.StartAsync(5, Cancel);
        await using var client = await run.ConnectAsync(Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        await ledger.WriteAsync(client, Writers, untilAcknowledged: 50_000, Cancel);
        var siblings = new ObjectKey("siblings", "carts", "alice");
        await client.PutAsync(siblings, new KvValue("book"u8.ToArray()), cancel: Cancel);
        await client.PutAsync(siblings, new KvValue("lamp"u8.ToArray()), cancel: Cancel);

        run.KillNode("example-1");
        run.KillNode("example-3");
        var writing = ledger.WriteAsync(client, Writers, untilAcknowledged: 100_000, Cancel);
        var duringOutage = await ledger.VerifyAsync(client, Cancel);
        await writing;

        Assert.Empty(duringOutage);
        Assert.DoesNotContain(ledger.Failures.Keys, failure => !failure.Contains("retryable", StringComparison.Ordinal));
        Assert.Empty(await ledger.VerifyAsync(client, Cancel));

        Assert.Equal(0, await run.StopAsync());
        run.Start();
        await run.WaitForNodesAsync(5, Cancel);
        await using var again = await run.ConnectAsync(Cancel);
        Assert.Empty(await ledger.VerifyAsync(again, Cancel));
        await Rings.HintsReturnedAsync(run, Cancel);
        Assert.Empty(await ledger.VerifyAsync(again, Cancel, OwnersAlone));
        Assert.True(ledger.Acknowledged >= 100_000);
        var carts = Assert.IsType<GetResult.Found>(await again.GetAsync(siblings, cancel: Cancel));
        Assert.Equal(["book", "lamp"], carts.Object.Siblings.Select(sibling => Encoding.UTF8.GetString(sibling.Content.Value.Span)).Order());
    }

    [Fact]
    public async Task KillingAllNodesInTheMiddleOfALoad_LosesNoAcknowledgedWrite()
    {
        await using var run = await LocalRun.StartAsync(5, Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        await using (var client = await run.ConnectAsync(Cancel))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var writing = ledger.WriteAsync(client, Writers, untilAcknowledged: int.MaxValue, stop.Token);
            await Eventually.AsyncTrue(() => Task.FromResult(ledger.Acknowledged >= 10_000), TimeSpan.FromMinutes(2), () => "10,000 writes", Cancel);
            foreach (var node in run.Pids().Keys)
            {
                run.KillNode(node);
            }

            await stop.CancelAsync();
            await writing;
        }

        await run.StopAsync();
        run.Start();
        await run.WaitForNodesAsync(5, Cancel);
        await using var again = await run.ConnectAsync(Cancel);
        Assert.Empty(await ledger.VerifyAsync(again, Cancel));
    }

    [Fact]
    public async Task ShrinkingFromFiveToThreeUnderLoad_LosesNothing_AndEndsTheTwo()
    {
        await using var run = await LocalRun.StartAsync(5, Cancel);
        await using var client = await run.ConnectAsync(Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        await ledger.WriteAsync(client, Writers, untilAcknowledged: 20_000, Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writing = ledger.WriteAsync(client, Writers / 4, untilAcknowledged: int.MaxValue, stop.Token);

        await run.SetNodesAsync(3, Cancel);
        await Rings.BalancedAsync(run, members: 3, Cancel);
        await Eventually.AsyncTrue(
            () => Task.FromResult(run.Pids().Keys.Order().SequenceEqual(["example-0", "example-1", "example-2"])), TimeSpan.FromMinutes(2), () => $"three nodes run:\n{run.Output}", Cancel);
        await stop.CancelAsync();
        await writing;

        Assert.DoesNotContain(ledger.Failures.Keys, failure => !failure.Contains("retryable", StringComparison.Ordinal));
        Assert.Empty(await ledger.VerifyAsync(client, Cancel, OwnersAlone));

        // The names are used again, by new nodes.
        await run.SetNodesAsync(4, Cancel);
        await Rings.BalancedAsync(run, members: 4, Cancel);
        Assert.Empty(await ledger.VerifyAsync(client, Cancel));
    }

    [Fact]
    public async Task GrowingFromFiveToSevenUnderLoad_LosesNothing_AndBalances()
    {
        await using var run = await LocalRun.StartAsync(5, Cancel);
        await using var client = await run.ConnectAsync(Cancel);
        var ledger = new WriteLedger(ObjectKey.DefaultType, "ledger");
        await ledger.WriteAsync(client, Writers, untilAcknowledged: 20_000, Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var writing = ledger.WriteAsync(client, Writers / 4, untilAcknowledged: int.MaxValue, stop.Token);

        await run.SetNodesAsync(7, Cancel);
        await run.WaitForNodesAsync(7, Cancel);
        await Rings.BalancedAsync(run, members: 7, Cancel);
        await stop.CancelAsync();
        await writing;

        Assert.DoesNotContain(ledger.Failures.Keys, failure => !failure.Contains("retryable", StringComparison.Ordinal));
        Assert.Empty(await ledger.VerifyAsync(client, Cancel));
    }
}
