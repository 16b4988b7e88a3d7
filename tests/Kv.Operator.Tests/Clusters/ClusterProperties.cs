using CsCheck;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>Whatever happens in whatever order, nothing forbidden is asked for; and once nothing happens any more, the spec is reached.</summary>
public sealed class ClusterProperties
{
    private enum Happening
    {
        Pass,
        NodeDown,
        NodesUp,
        PartitionsMove,
        SpecGrows,
        SpecShrinks,
        NodeNamed,
        TemplateChanges,
        RequestLost,
        AnswerLost,
        OperatorForgets,
        DataRots,
    }

    private static readonly Gen<List<(Happening What, int Which)>> Stories =
        Gen.Select(Gen.Frequency((6, Gen.Const(Happening.Pass)), (6, Gen.Enum<Happening>())), Gen.Int[0, 7]).List[0, 60];

    [Fact]
    public void AnyStory_WithoutZones_ReachesTheSpecAndBreaksNoRule() => Check(null);

    [Fact]
    public void AnyStory_WithZones_ReachesTheSpecAndBreaksNoRule() => Check(["a", "b", "c"]);

    private static void Check(string[]? zones) => Stories.Sample(
        story =>
        {
            var world = new SimulatedCluster();
            var cluster = Build.Cluster(3, spec => spec.Zones = zones?.Select(zone => new ClusterZone { Name = zone }).ToList());
            var reconciler = Reconciler(world);
            foreach (var (what, which) in story)
            {
                Happen(world, cluster, what, which, zones);
                world.Elapse(TimeSpan.FromSeconds(which * 3));
                Pass(reconciler, cluster);
            }

            world.Loses = _ => false;
            world.Up();
            var quiet = 0;
            for (var i = 0; i < 400 && quiet < 10; i++)
            {
                var before = world.Writes;
                world.MovePartitions(1);
                world.Elapse(TimeSpan.FromSeconds(10));
                Pass(reconciler, cluster);
                quiet = world.Writes == before && world.PendingTransfers == 0 && cluster.Status.Operation is null ? quiet + 1 : 0;
            }

            Assert.Empty(world.Breaches);
            Assert.Equal(1, world.RingsCreated);
            Assert.Equal(cluster.Spec.Nodes, world.Members.Count);
            Assert.Equal(cluster.Spec.Nodes, world.Replicas.Values.Sum());
            Assert.All(cluster.Spec.LeavingNodes ?? [], id => Assert.Contains(id, world.Removed));
            Assert.DoesNotContain(world.Members, world.IsOutdated);
            Assert.Empty(world.Damaged);
            Assert.Equal("True", cluster.Status.Conditions!.Single(condition => condition.Type == Kv.Operator.Api.Conditions.Ready).Status);

            var writes = world.Writes;
            var status = System.Text.Json.JsonSerializer.Serialize(cluster.Status, Kv.Operator.Api.KvJson.Options);
            Pass(reconciler, cluster);
            Assert.Equal(writes, world.Writes);
            Assert.Equal(status, System.Text.Json.JsonSerializer.Serialize(cluster.Status, Kv.Operator.Api.KvJson.Options));
        },
        iter: 300);

    [Fact]
    public void Creation_OfFive_IsOnePlan()
    {
        var world = new SimulatedCluster();
        var cluster = Build.Cluster(5);
        var reconciler = Reconciler(world);
        for (var i = 0; i < 40; i++)
        {
            world.MovePartitions(1);
            Pass(reconciler, cluster);
        }

        Assert.Equal(5, world.Members.Count);
        Assert.Equal(1, world.Commits);
    }

    private static void Happen(SimulatedCluster world, Cluster cluster, Happening what, int which, string[]? zones)
    {
        world.Loses = _ => false;
        switch (what)
        {
            case Happening.NodeDown:
                world.Down(zones is null ? $"example-{which}" : $"example-{zones[which % 3]}-{which / 3}");
                break;
            case Happening.NodesUp:
                world.Up();
                break;
            case Happening.PartitionsMove:
                world.MovePartitions(which);
                break;
            case Happening.SpecGrows:
                cluster.Spec.Nodes = Math.Min(9, cluster.Spec.Nodes + (which % 3));
                break;
            case Happening.SpecShrinks:
                // As many as there are copies, and one more where a place is to be given anew.
                cluster.Spec.Nodes = Math.Max(cluster.Spec.LeavingNodes is null ? 3 : 4, cluster.Spec.Nodes - (which % 4));
                break;
            case Happening.NodeNamed when which < world.Members.Count:
                (cluster.Spec.LeavingNodes ??= []).Add(world.IdOf(world.Members[which]));
                cluster.Spec.Nodes = Math.Max(4, cluster.Spec.Nodes);
                break;
            case Happening.TemplateChanges:
                world.ChangeTemplate();
                break;
            case Happening.RequestLost:
                world.Loses = after => !after;
                break;
            case Happening.AnswerLost:
                world.Loses = after => after;
                break;
            case Happening.DataRots:
                world.Rot(which * 8);
                break;
            case Happening.OperatorForgets when world.StagedLeaves == 0:
                // The status is all that a restarted operator has, and somebody may have cleared even that. Only a leave that is staged and not wanted any more needs it: without it,
                // nobody can tell whose it is, and a person has to clear it.
                cluster.Status.Operation = null;
                break;
        }
    }

    private static ClusterReconciler Reconciler(SimulatedCluster world) =>
        new(new ClusterObserver(world, world), new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local);

    private static void Pass(ClusterReconciler reconciler, Cluster cluster) =>
        cluster.Status = reconciler.RunAsync(cluster, CancellationToken.None).GetAwaiter().GetResult().Status;
}
