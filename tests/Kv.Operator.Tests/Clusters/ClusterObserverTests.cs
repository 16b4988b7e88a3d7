using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.Tests.Stubs;
using Xunit;
using static Kv.Operator.Tests.Stubs.Build;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Clusters;

/// <summary>What nodes say of their data gets as far as the Cluster's status.</summary>
public sealed class ClusterObserverTests
{
    [Theory]
    [InlineData(Admin.Transfer.Types.Kind.Hinted, Admin.Transfer.Types.State.Failed, "True")]
    [InlineData(Admin.Transfer.Types.Kind.Ownership, Admin.Transfer.Types.State.Failed, "True")]
    [InlineData(Admin.Transfer.Types.Kind.Hinted, Admin.Transfer.Types.State.Waiting, "False")]
    public async Task Transfer_ThatGoesNowhere_DegradesTheCluster_HintsToo(Admin.Transfer.Types.Kind kind, Admin.Transfer.Types.State state, string degraded)
    {
        var (world, cluster) = await FormedAsync();
        world.Transfers.Add(new Admin.Transfer { Kind = kind, State = state, From = "example-0", To = "example-1", ObjectsSent = 40, SecondsSinceProgress = 601, LastError = "5 objects stay here" });
        var ring = (await ObserveAsync(world, cluster)).Ring!;
        Assert.Equal(kind == Admin.Transfer.Types.Kind.Hinted ? 0 : 40, ring.TransferredObjects);

        var condition = await ConditionAsync(world, cluster, Conditions.Degraded);
        Assert.Equal(degraded, condition.Status);
        Assert.Equal(degraded == "True", condition.Reason == Conditions.Reasons.HandoffStalled && condition.Message!.EndsWith("5 objects stay here", StringComparison.Ordinal));
    }

    /// <summary>It may hold what was acknowledged with two copies and the third of which is the next to go down.</summary>
    [Fact]
    public async Task Member_ThatDoesNotTellOfItsHints_ShutsTheGate()
    {
        var (world, cluster) = await FormedAsync();
        world.Elapse(TimeSpan.FromHours(1));
        Assert.IsType<GateVerdict.Open>(await GateAsync());
        world.Mute.Add("example-1");
        Assert.Equal(Conditions.Reasons.ViewsMissing, Assert.IsType<GateVerdict.Closed>(await GateAsync()).Reason);

        async Task<GateVerdict> GateAsync()
        {
            var observed = await ObserveAsync(world, cluster);
            return DisruptionGate.MayAnyGoDown(GateSnapshots.Of(cluster, observed, observed.Ring!));
        }
    }

    /// <summary>Its process has run all the while: it is its peers who know that it was away.</summary>
    [Fact]
    public async Task Member_ThatWasCutOff_ShutsTheGateUntilItsPeersHaveSeenItForAWhile()
    {
        var (world, cluster) = await FormedAsync();
        world.Elapse(TimeSpan.FromHours(1));
        world.Reconnect("example-1");
        world.Elapse(TimeSpan.FromSeconds(29));
        Assert.Equal(TimeSpan.FromSeconds(29), (await ObserveAsync(world, cluster)).Ring!.MemberByName("example-1")!.SeenUpFor);
        Assert.Equal(Conditions.Reasons.Settling, Assert.IsType<GateVerdict.Closed>(await GateAsync()).Reason);
        world.Elapse(TimeSpan.FromSeconds(2));
        Assert.IsType<GateVerdict.Open>(await GateAsync());

        // One that does not say has not seen it for any time.
        world.Blind.Add("example-2");
        Assert.Equal(Conditions.Reasons.Settling, Assert.IsType<GateVerdict.Closed>(await GateAsync()).Reason);

        async Task<GateVerdict> GateAsync()
        {
            var observed = await ObserveAsync(world, cluster);
            return DisruptionGate.MayAnyGoDown(GateSnapshots.Of(cluster, observed, observed.Ring!));
        }
    }

    [Fact]
    public async Task Transfers_ThatStayStuck_SayTheSame_HoweverLongAndWhicheverIsTheSlowest()
    {
        var (world, cluster) = await FormedAsync();
        Admin.Transfer Stuck(int partition) => new()
        {
            Kind = Admin.Transfer.Types.Kind.Hinted,
            State = Admin.Transfer.Types.State.Failed,
            Partition = partition,
            From = "example-0",
            To = "example-1",
            LastError = $"{partition} is refused",
        };
        var (first, second, moving) = (Stuck(7), Stuck(3), Stuck(1));
        world.Transfers.AddRange([first, second, moving]);
        var messages = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (one, other) in new[] { (700u, 650u), (760u, 820u), (820u, 700u) })
        {
            (first.SecondsSinceProgress, second.SecondsSinceProgress, moving.SecondsSinceProgress) = (one, other, 5);
            messages.Add((await ConditionAsync(world, cluster, Conditions.Degraded)).Message!);
        }

        Assert.Equal(["a transfer does not move any more 3 is refused"], messages);
    }

    [Fact]
    public async Task Replica_ThatIsDamagedOrRebuilt_CountsForNoQuorum()
    {
        var (world, cluster) = await FormedAsync();
        world.Rebuilding.Add(7);
        Assert.Equal("True", (await ConditionAsync(world, cluster, Conditions.Available)).Status);

        // A stand-in's data is nobody's replica: partition 8 is example-2's.
        world.Damaged.Add(("example-0", 8));
        Assert.Equal("True", (await ConditionAsync(world, cluster, Conditions.Available)).Status);

        world.Damaged.Add(("example-2", 8));
        var available = await ConditionAsync(world, cluster, Conditions.Available);
        Assert.Equal(("False", Conditions.Reasons.TooManyNodesDown), (available.Status, available.Reason));
        Assert.StartsWith("2 of 64 partitions", available.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_OfANode_GetsAsFarAsTheCondition()
    {
        var (world, cluster) = await FormedAsync();
        Assert.All((await ObserveAsync(world, cluster)).Nodes, node => Assert.Null(node.Answer!.Certificate));
        world.Certificate = new ObservedCertificate(Now.AddDays(-90), Now.AddDays(-1));
        var condition = await ConditionAsync(world, cluster, Conditions.CertificatesValid);
        Assert.Equal(("False", Conditions.Reasons.CertificatesInvalid), (condition.Status, condition.Reason));
        Assert.Contains("example-2 (2025-10-04 03:04:05Z to 2026-01-01 03:04:05Z)", condition.Message, StringComparison.Ordinal);
    }

    private static async Task<(SimulatedCluster World, Cluster Cluster)> FormedAsync()
    {
        var (world, cluster) = (new SimulatedCluster(), Cluster());
        var reconciler = new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local);
        for (var pass = 0; pass < 30; pass++)
        {
            world.MovePartitions(2);
            cluster.Status = (await reconciler.RunAsync(cluster, TestContext.Current.CancellationToken)).Status;
        }

        Assert.Equal(3, world.Members.Count);
        return (world, cluster);
    }

    private static Task<ObservedCluster> ObserveAsync(SimulatedCluster world, Cluster cluster) => new ClusterObserver(world, world).ObserveAsync(cluster, TestContext.Current.CancellationToken);

    private static async Task<Kv.Operator.Api.Entities.Condition> ConditionAsync(SimulatedCluster world, Cluster cluster, string type)
    {
        var status = ClusterStatusBuilder.Build(cluster, await ObserveAsync(world, cluster), new ClusterAction.Steady(), null, Now);
        return status.Conditions!.Single(condition => condition.Type == type);
    }
}
