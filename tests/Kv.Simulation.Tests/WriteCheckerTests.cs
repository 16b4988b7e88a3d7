using Kv.Cluster;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>An acknowledgement is held to what the plan leaves of it: on more nodes than may lose it, two for each that loses data while partitions move.</summary>
public sealed class WriteCheckerTests
{
    [Theory]
    [InlineData(0, false, 0, true)]
    [InlineData(0, true, 0, true)]
    [InlineData(1, false, 1, false)]
    [InlineData(1, false, 2, true)]
    [InlineData(1, true, 2, false)]
    [InlineData(1, true, 3, true)]
    [InlineData(2, false, 2, false)]
    [InlineData(2, false, 3, true)]
    public void Write_ThatNobodyHasInTheEnd_IsLost_WhereItWasOnMoreNodesThanMayLoseIt(int losses, bool moves, int confirms, bool isLost)
    {
        var plan = PlanOf(losses, moves, confirms);
        var journal = new Journal(new SimScheduler(1));
        var checker = new WriteChecker(plan, journal);
        var call = new ClientCall(1, TimeSpan.Zero, 0, 0, 0, 0, ClientVerb.Put, WithContext: false);
        checker.End(call, checker.Begin(call, new HashSet<string>(), isBlindDelete: false), new KvOutcome.Stored(null));

        var key = Assert.Single(checker.Keys);
        checker.Final(key, new KvOutcome.NotFound(null), []);

        Assert.Equal(isLost, journal.Violations.Any(violation => violation.Contains("the acknowledged write w1 is lost", StringComparison.Ordinal)));
        Assert.Equal(isLost ? 1 : 0, journal.Violations.Count);
    }

    private static SimPlan PlanOf(int losses, bool moves, int confirms) => new()
    {
        Seed = 1,
        Members = 5,
        Spares = 1,
        Zones = 1,
        RingSize = 8,
        Clients = 1,
        QueueBound = 10_000,
        IsRestless = false,
        Types = [new BucketPlan("t0", BucketRule.Siblings, 3, "keep", "synced", confirms)],
        Events = moves ? [new AdminCall.Join(2, TimeSpan.Zero, 0, [5], CommitsTwice: false)] : [],
        Length = TimeSpan.FromSeconds(20),
        Losses = losses,
    };
}
