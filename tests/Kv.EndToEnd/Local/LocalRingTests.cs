using System.Globalization;
using Kv.Client;
using Kv.Core.Objects;
using Xunit;

namespace Kv.EndToEnd.Local;

/// <summary>What the project promises of a ring on one machine: processes are killed as a machine would, and nothing acknowledged is lost.</summary>
public sealed class LocalRingTests
{
    private const int Writers = 32;

    /// <summary>What a load must get done while a ring changes, to be one that went on.</summary>
    private const int Progress = 1000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The pair is drawn by a seed (`KV_SEED` for a certain one). Half of a hundred thousand keys are written before the outage and half during it, and all that there are are read in it.</summary>
    [Fact]
    public async Task KillingTwoOfFiveNodes_StopsNothing_AndLosesNothing()
    {
        var pair = DrawPair();
        await using var run = await LocalRun.StartAsync(5, Cancel);
        await using var client = await run.ConnectAsync(Cancel);
        // Without anti-entropy, and without a read before the end, hinted handoff alone can bring the two nodes what they missed.
        await Rings.CreateTypeAsync(run, "unwatched", """{"allow_mult":false,"aae":false}""", Cancel);
        await Rings.TypesActiveAsync(run, ["unwatched"], Cancel);
        var ledger = new WriteLedger("unwatched", "ledger");
        await ledger.WriteAsync(client, Writers, untilAcknowledged: 50_000, Cancel);
        var siblings = new SiblingWriters(run, new("siblings", "carts", "alice"));
        await siblings.WriteBlindlyAsync(client, ["book", "lamp"], Cancel);

        await LosePairAsync(run, client, ledger, pair, untilAcknowledged: 100_000, async () => await siblings.ReplaceAsync(client, run.Pids().Keys.Min()!, ["pen", "ink"], Cancel));

        Assert.Equal(0, await run.StopAsync());
        run.Start();
        await run.WaitForNodesAsync(5, Cancel);
        await using var again = await run.ConnectAsync(Cancel);
        Assert.Empty(await ledger.VerifyAsync(again, Cancel));
        Assert.True(ledger.Acknowledged >= 100_000);
        Assert.Equal(["ink", "pen"], await siblings.ReadAsync(again, Cancel));
    }

    /// <summary>Kills two nodes, writes and reads without them, and starts them again: they are brought all that they missed, and no read had to repair it.</summary>
    private static async Task LosePairAsync(LocalRun run, KvClusterClient client, WriteLedger ledger, string[] pair, int untilAcknowledged, Func<Task> meanwhile)
    {
        var others = run.Pids().Keys.Except(pair).Order().ToList();
        foreach (var node in pair)
        {
            run.KillNode(node);
        }

        var writing = ledger.WriteAsync(client, Writers, untilAcknowledged, Cancel);
        Assert.Empty(await ledger.VerifyAsync(client, Cancel));
        await meanwhile();
        await writing;
        Assert.Empty(ledger.Faults);
        Assert.Equal(others, run.Pids().Keys.Order());

        Assert.NotEmpty(await Rings.TransfersAsync(run.Endpoint(others[0], "admin"), Cancel));
        foreach (var node in pair)
        {
            run.StartKilledNode(node);
        }

        await run.WaitForNodesAsync(5, Cancel);
        await Rings.HintsReturnedAsync(run, Cancel);
        var repairs = await Rings.QuietReadRepairsAsync(run, Cancel);
        Assert.Empty(await ledger.VerifyOwnersAsync(run, Cancel));
        Assert.Equal(repairs, await Rings.QuietReadRepairsAsync(run, Cancel));
    }

    /// <summary>No node died: what failed was refused, at once and for certain, and may be tried again.</summary>
    private static void AssertOnlyRefusals(WriteLedger ledger)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"refused: {string.Join("; ", ledger.Refusals.Select(refusal => $"{refusal.Value} times {refusal.Key}"))}");
        Assert.Empty(ledger.Faults);
        Assert.Empty(ledger.Uncertain);
    }

    private static string[] DrawPair()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("KV_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        string[] nodes = ["example-0", "example-1", "example-2", "example-3", "example-4"];
        new Random(seed).Shuffle(nodes);
        TestContext.Current.TestOutputHelper?.WriteLine($"KV_SEED={seed}: {nodes[0]} and {nodes[1]} are killed");
        return nodes[..2];
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
        var load = Task.WhenAll(ledger.WriteAsync(client, Writers / 4, untilAcknowledged: int.MaxValue, stop.Token), ledger.ReadAsync(client, Writers / 4, stop.Token));
        var (written, read) = (ledger.Acknowledged, ledger.Found);

        await run.SetNodesAsync(3, Cancel);
        await Rings.BalancedAsync(run, members: 3, Cancel);
        await Eventually.AsyncTrue(
            () => Task.FromResult(run.Pids().Keys.Order().SequenceEqual(["example-0", "example-1", "example-2"])), TimeSpan.FromMinutes(2), () => $"three nodes run:\n{run.Output}", Cancel);
        Assert.True(ledger.Acknowledged >= written + Progress, $"{ledger.Acknowledged - written} writes meanwhile");
        Assert.True(ledger.Found >= read + Progress, $"{ledger.Found - read} reads meanwhile");
        await stop.CancelAsync();
        await load;

        AssertOnlyRefusals(ledger);
        Assert.Empty(await ledger.VerifyOwnersAsync(run, Cancel));

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
        var load = Task.WhenAll(ledger.WriteAsync(client, Writers / 4, untilAcknowledged: int.MaxValue, stop.Token), ledger.ReadAsync(client, Writers / 4, stop.Token));
        var (written, read) = (ledger.Acknowledged, ledger.Found);

        await run.SetNodesAsync(7, Cancel);
        await run.WaitForNodesAsync(7, Cancel);
        await Rings.BalancedAsync(run, members: 7, Cancel);
        Assert.True(ledger.Acknowledged >= written + Progress, $"{ledger.Acknowledged - written} writes meanwhile");
        Assert.True(ledger.Found >= read + Progress, $"{ledger.Found - read} reads meanwhile");
        await stop.CancelAsync();
        await load;

        AssertOnlyRefusals(ledger);
        Assert.Empty(await ledger.VerifyOwnersAsync(run, Cancel));
    }
}
