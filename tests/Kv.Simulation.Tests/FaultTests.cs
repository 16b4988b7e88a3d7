using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>Faults overlap: what one holds the end of another leaves as it is, and only what happened is counted.</summary>
public sealed class FaultTests
{
    private static readonly SimNetworkOptions Drizzle = new() { RequestLoss = 0.1 };
    private static readonly SimNetworkOptions Storm = new() { RequestLoss = 0.5 };

    [Fact]
    public void Weather_ThatEnds_LeavesTheOneThatCameLater() => Play(
        [new Fault.Weather(1, At(0), Drizzle, For(4)), new Fault.Weather(2, At(2), Storm, For(6))],
        (world, second) => Assert.Equal(second < 2 ? Drizzle.RequestLoss : second < 8 ? Storm.RequestLoss : 0, world.Cluster.Network.Options.RequestLoss));

    [Fact]
    public void Weather_ThatEndsFirst_GivesWayToTheOneThatStillHolds() => Play(
        [new Fault.Weather(1, At(0), Drizzle, For(8)), new Fault.Weather(2, At(2), Storm, For(2))],
        (world, second) => Assert.Equal(second is 2 or 3 ? Storm.RequestLoss : second < 8 ? Drizzle.RequestLoss : 0, world.Cluster.Network.Options.RequestLoss));

    [Fact]
    public void Part_ThatEnds_LeavesWhatIsCutOneWay() => Play(
        [new Fault.CutOneWay(1, At(0), 0, 1, For(8)), new Fault.Part(2, At(2), [0], For(2))],
        (world, second) =>
        {
            var ((one, other), network) = ((world.Node(0).Id, world.Node(1).Id), world.Cluster.Network);
            Assert.Equal(second < 8, network.IsCut(one, other));
            Assert.Equal(second is 2 or 3, network.IsCut(other, one));
        });

    [Fact]
    public void CutOneWay_ThatEnds_LeavesThePart() => Play(
        [new Fault.Part(1, At(0), [0], For(8)), new Fault.CutOneWay(2, At(2), 0, 1, For(2))],
        (world, second) => Assert.Equal(second < 8, world.Cluster.Network.IsCut(world.Node(0).Id, world.Node(1).Id)));

    [Fact]
    public void FullDisk_ThatEnds_LeavesAnotherOfTheSameNode() => Play(
        [new Fault.FullDisk(1, At(0), 0, true, For(2)), new Fault.FullDisk(2, At(1), 0, false, For(6)), new Fault.FullDisk(3, At(0), 1, false, For(2))],
        (world, second) =>
        {
            Assert.Equal(second < 7, world.Node(0).Volume.IsFull);
            Assert.Equal(second >= 2, world.Node(0).Volume.HasReserve);
            Assert.Equal(second < 2, world.Node(1).Volume.IsFull);
        });

    [Fact]
    public void Pause_ThatEnds_LeavesTheOneThatStillHolds() => Play(
        [new Fault.Pause(1, At(0), 0, For(4)), new Fault.Pause(2, At(2), 0, For(6))],
        (world, second) => Assert.Equal(second < 8, world.Node(0).IsPaused));

    [Fact]
    public void SlowDisk_ThatEnds_LeavesAnotherOfTheSameNode() => Play(
        [new Fault.SlowDisk(1, At(0), 0, For(4)), new Fault.SlowDisk(2, At(2), 0, For(6))],
        (world, second) => Assert.Equal(second < 8, world.Node(0).Volume.MostSyncTime > SimVolume.UsualSyncTime));

    [Fact]
    public void LinksOfALostVolume_StayCut() => Play(
        [new Fault.Part(1, At(0), [0], For(8)), new Fault.LoseVolume(2, At(2), 0, For(2))],
        (world, second) => Assert.Equal(second < 8, world.Cluster.Network.IsCut(world.Node(0).Id, world.Node(1).Id)));

    [Fact]
    public void Node_IsDownAsLongAsAnyFaultKeepsItSo() => Play(
        [new Fault.Crash(1, At(0), 0, true, For(4)), new Fault.LoseVolume(2, At(2), 0, For(6))],
        (world, second) => Assert.Equal(second >= 8, world.Node(0).IsUp));

    [Fact]
    public void Faults_ThatFindNothing_AreNotCounted() => Play(
        [new Fault.Crash(1, At(0), 0, true, For(8)), new Fault.Crash(2, At(1), 0, true, For(8)), new Fault.CutOneWay(3, At(1), 1, 1, For(2)), new Fault.Part(4, At(1), [0, 1, 2], For(2))],
        (world, _) => Assert.Equal(1, world.Faults));

    [Fact]
    public void Rot_EndsNoProcess_AndWhatIsDamagedIsRebuilt()
    {
        var writes = Enumerable.Range(1, 60).Select(number => new ClientCall(number, At(number / 20.0), 0, 0, 0, number % 7, ClientVerb.Put, true));
        var verdict = SimRun.Run(PlanOf([.. writes, new Fault.Rot(101, At(5), 1), new AdminCall.Rebuild(102, At(5), 1), new Fault.LosePartitions(103, At(12), 1, 1, For(1))]) with { Losses = 1 });
        Assert.Empty(verdict.Violations);
        Assert.DoesNotContain(verdict.Journal, line => line.Contains("gives up", StringComparison.Ordinal));
        Assert.Contains(verdict.Journal, line => line.Contains("admin at n2: done", StringComparison.Ordinal));
    }

    [Fact]
    public void Verdict_CountsTheCallsThatWereMade()
    {
        var plan = PlanOf(new ClientCall(1, At(1), 0, 0, 0, 0, ClientVerb.Put, false), new ClientCall(2, At(100), 0, 0, 0, 0, ClientVerb.Get, false), new Fault.Drift(3, At(100), 0, 1));
        var verdict = SimRun.Run(plan);
        Assert.Empty(verdict.Violations);
        Assert.Equal((1, 0), (verdict.Calls, verdict.Faults));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static TimeSpan For(double seconds) => TimeSpan.FromSeconds(seconds);

    private static SimPlan PlanOf(params PlannedEvent[] events) => new()
    {
        Seed = 1,
        Members = 3,
        Spares = 0,
        Zones = 1,
        RingSize = 8,
        Clients = 1,
        QueueBound = 10_000,
        IsRestless = false,
        Types = [new BucketPlan("t0", BucketRule.Siblings, 3, "keep", "synced", 0)],
        Events = [.. events],
        Length = TimeSpan.FromSeconds(20),
        Losses = 0,
    };

    /// <summary>Nodes in no cluster, the faults, and a look in the middle of each of ten seconds.</summary>
    private static void Play(Fault[] faults, Action<SimWorld, int> look)
    {
        var world = new SimWorld(PlanOf(faults), new SimSeams());
        world.Scheduler.Run(async () =>
        {
            foreach (var node in world.Cluster.Nodes)
            {
                await node.StartAsync();
            }

            var actor = new FaultActor(world);
            var begin = world.Now;
            foreach (var fault in faults)
            {
                _ = RunAsync(world, actor, begin, fault);
            }

            for (var second = 0; second < 10; second++)
            {
                await world.DelayAsync(begin + TimeSpan.FromSeconds(second + 0.5) - world.Now);
                look(world, second);
            }
        });
        Assert.Empty(world.Journal.Violations);
    }

    private static async Task RunAsync(SimWorld world, FaultActor actor, TimeSpan begin, Fault fault)
    {
        await world.DelayAsync(begin + fault.At - world.Now);
        await actor.RunAsync(fault);
    }
}
