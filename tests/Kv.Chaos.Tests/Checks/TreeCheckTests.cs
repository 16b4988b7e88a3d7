using Kv.Chaos.Checks;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Chaos.Tests.Checks;

/// <summary>Which answers of the nodes show that all replicas are alike, in a ring of two partitions, which has six pairs.</summary>
public sealed class TreeCheckTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    [Fact]
    public void AllPairsComparedSinceTheRest_AndEqual_IsRight() => Assert.Null(Complaint(_ => { }));

    [Fact]
    public void APairThatDiffered_IsNot() => Assert.Contains("differ in 2 keys", Complaint(exchange => exchange.KeysFound = 2), StringComparison.Ordinal);

    [Fact]
    public void APairComparedBeforeTheRest_IsNot() => Assert.Contains("not compared since", Complaint(exchange => exchange.MillisecondsSinceEnd = 9_950), StringComparison.Ordinal);

    [Fact]
    public void APairThatNeverWasCompared_IsNot() => Assert.Contains("not compared since", Complaint(exchange => exchange.MillisecondsSinceEnd = -1), StringComparison.Ordinal);

    [Fact]
    public void PairsThatNobodyTellsOf_AreMissed()
    {
        var shown = Shown();
        shown.Exchanges.RemoveAt(0);
        Assert.Contains("5 pairs", TreeCheck.Complaint([("n0", shown)], 2, Rest), StringComparison.Ordinal);
    }

    [Fact]
    public void APartitionWithoutTrees_IsNot()
    {
        var shown = Shown();
        shown.Trees[0].State = HashTrees.Types.State.Building;
        Assert.Contains("has no trees of partition 1", TreeCheck.Complaint([("n0", shown)], 2, Rest), StringComparison.Ordinal);
    }

    private static string? Complaint(Action<Exchange> change)
    {
        var shown = Shown();
        change(shown.Exchanges[^1]);
        return TreeCheck.Complaint([("n0", shown)], 2, Rest);
    }

    private static AntiEntropy Shown() => new()
    {
        On = true,
        Trees = { new HashTrees { Partition = 1, State = HashTrees.Types.State.Built } },
        Exchanges = { Enumerable.Range(0, 6).Select(_ => new Exchange { Peer = "n1", MillisecondsSinceEnd = 5_000, MillisecondsTaken = 100 }) },
    };
}
