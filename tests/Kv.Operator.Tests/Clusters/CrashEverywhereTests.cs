using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Tests.Stubs;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>
/// The operator is ended before and after each call that changes anything, and started again with nothing but the status as it was written last. Each time it
/// ends as if nothing had happened.
/// </summary>
public sealed class CrashEverywhereTests
{
    private const int MaxPasses = 200;

    /// <summary>Longer than anything that is waited for: partitions that move, a node that starts and settles.</summary>
    private const int QuietPasses = 25;
    private const int PassesAway = 12;
    private const string WhileAway = "volume lost, while another is away";
    private const string RotWhileAway = "rot, while another is away";
    private const string OfAZone = "only node of a zone is renewed";

    public static TheoryData<string> Scenarios =>
    [
        "create", "scale-out", "rollout", "rollout and scale-out", "broken node", "scale-in", "scale-in with volumes", "scale-in taken back", "scale-out taken back", "middle leaves", "middle is renewed", OfAZone,
        "scale-in and rollout", "volume lost", "volume lost, given up while partitions move", WhileAway, "dead and not wanted",
        "rot", "rot in two places", "rot while partitions move", RotWhileAway,
    ];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Operator_EndedAtAnyChange_EndsAsIfItHadNotBeen(string scenario)
    {
        var undisturbed = Run(scenario, default);
        Assert.True(undisturbed.Changes > 0, "a scenario without changes shows nothing");
        Assert.Contains("outdated 0", undisturbed.End, StringComparison.Ordinal);
        Assert.EndsWith("ready True", undisturbed.End, StringComparison.Ordinal);
        Assert.Contains($"damaged 0, rebuilt {(scenario == "rot in two places" ? 2 : scenario.StartsWith("rot", StringComparison.Ordinal) ? 1 : 0)}", undisturbed.End, StringComparison.Ordinal);
        for (var change = 1; change <= undisturbed.Changes; change++)
        {
            foreach (var after in new[] { false, true })
            {
                var run = Run(scenario, (change, after));
                Assert.True(run.WasStopped, $"{scenario}: there is no change {change}");
                Assert.True(run.End == undisturbed.End, $"{scenario}, ended {(after ? "after" : "before")} change {change}: {run.End} in place of {undisturbed.End}");
            }
        }
    }

    private static (string End, int Changes, bool WasStopped) Run(string scenario, (int Change, bool After) stop)
    {
        var world = new SimulatedCluster();
        var cluster = Build.Cluster(scenario.StartsWith("scale-in", StringComparison.Ordinal) ? 5 : scenario.StartsWith("middle", StringComparison.Ordinal) || scenario == OfAZone ? 4 : 3);
        cluster.Spec.Zones = scenario == OfAZone ? [new ClusterZone { Name = "a" }, new ClusterZone { Name = "b" }, new ClusterZone { Name = "c" }] : null;
        if (scenario != "create")
        {
            Reconcile("", world, cluster);
            Begin(scenario, world, cluster);
        }

        var before = world.Changes;
        world.Stops = stop.Change == 0 ? default : (before + stop.Change, stop.After);
        var wasStopped = Reconcile(scenario, world, cluster);
        Assert.Empty(world.Breaches);
        var ready = cluster.Status.Conditions!.Single(condition => condition.Type == Conditions.Ready);
        var outdated = world.Members.Count(world.IsOutdated);
        var members = string.Join(",", world.Members.Order(StringComparer.Ordinal).Select(world.IdOf));
        var removed = string.Join(",", world.Removed.Order(StringComparer.Ordinal));
        var end = $"rings {world.RingsCreated}, commits {world.Commits}, restarts {world.Restarts}, outdated {outdated}, members {members}, removed {removed}, "
            + $"pods {world.Replicas.Values.Sum()}, volumes deleted {world.VolumesDeleted}, budget {world.Disruptions}, damaged {world.Damaged.Count}, rebuilt {world.Rebuilds}, ready {ready.Status}";
        return (end, world.Changes - before, wasStopped);
    }

    private static void Begin(string scenario, SimulatedCluster world, Cluster cluster)
    {
        cluster.Metadata.Generation++;
        cluster.Spec.Nodes = scenario.Contains("scale-out", StringComparison.Ordinal) ? 5 : scenario is "middle is renewed" or OfAZone ? 4 : 3;
        cluster.Spec.LeavingNodes = scenario.StartsWith("middle", StringComparison.Ordinal) ? [world.IdOf("example-1")] : scenario == OfAZone ? [world.IdOf("example-b-0")] : null;
        cluster.Spec.Storage.Retention.WhenScaled = scenario == "scale-in with volumes" ? RetentionPolicy.Delete : RetentionPolicy.Retain;
        if (scenario.Contains("rollout", StringComparison.Ordinal) || scenario == "broken node")
        {
            world.ChangeTemplate();
        }

        switch (scenario)
        {
            case "broken node":
                world.Down("example-1");
                break;
            case "volume lost" or "volume lost, given up while partitions move":
                cluster.Spec.LostNodes = [world.IdOf("example-1")];
                world.LoseVolume("example-1");
                cluster.Spec.Nodes = scenario == "volume lost" ? 3 : 5;
                break;
            case WhileAway:
                cluster.Spec.LostNodes = [world.IdOf("example-1")];
                world.LoseVolume("example-1");
                world.Down("example-2");
                break;
            case "rot" or "rot in two places" or "rot while partitions move" or RotWhileAway:
                world.Rot(4);
                world.Rot(scenario == "rot in two places" ? 40 : 4);
                cluster.Spec.Nodes = scenario == "rot while partitions move" ? 5 : 3;
                if (scenario == RotWhileAway)
                {
                    world.Down("example-2");
                }

                break;
            case "dead and not wanted":
                cluster.Spec.LostNodes = [world.IdOf("example-2")];
                cluster.Spec.Nodes = 2;
                world.Down("example-2");
                break;
        }
    }

    /// <summary>Passes until nothing changes any more. A pass that the operator does not outlive leaves no status.</summary>
    private static bool Reconcile(string scenario, SimulatedCluster world, Cluster cluster)
    {
        var wasStopped = false;
        for (var (pass, quiet) = (0, 0); pass < MaxPasses && quiet < QuietPasses; pass++)
        {
            var before = world.Changes;
            var reconciler = new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), TimeProvider.System, PassIntervals.Local);
            try
            {
                cluster.Status = reconciler.RunAsync(cluster, CancellationToken.None).GetAwaiter().GetResult().Status;
            }
            catch (OperatorStoppedException)
            {
                wasStopped = true;
            }

            if (scenario == "scale-in taken back" && world.StagedLeaves > 0)
            {
                cluster.Spec.Nodes = 5;
            }

            if (scenario == "scale-out taken back" && world.StagedJoins > 0)
            {
                cluster.Spec.Nodes = 3;
            }

            world.MovePartitions(2);
            world.Elapse(TimeSpan.FromSeconds(10));
            if (scenario == "broken node" && !world.IsOutdated("example-1"))
            {
                // What was wrong with it went with what it was made from.
                world.Up();
            }

            if (scenario is WhileAway or RotWhileAway && pass == PassesAway)
            {
                world.Up();
            }

            quiet = world.Changes == before ? quiet + 1 : 0;
        }

        return wasStopped;
    }
}
