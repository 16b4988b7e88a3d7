using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Checkers;

/// <summary>What is looked at once a run's cluster is at rest.</summary>
internal static class FinalChecks
{
    /// <summary>Replicas are equal within this time of rest.</summary>
    private static readonly TimeSpan MostConverging = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(SimWorld world)
    {
        // Where trees are built all the time tombstones are found by that, else by reads.
        await ConvergeAsync(world, byReads: false);
        await ReadAllAsync(world);

        await ConvergeAsync(world, byReads: true);
        await ReadAllAsync(world);
        await new QueryChecker(world).FinishAsync();
        await WriteEverywhereAsync(world);
    }

    private static async Task ConvergeAsync(SimWorld world, bool byReads)
    {
        var checker = new ReplicaChecker(world);
        var end = world.Now + MostConverging;
        while (checker.Problems(mayKeepTombstones: !byReads && !world.Plan.IsRestless) is { Count: > 0 } problems)
        {
            if (world.Now > end)
            {
                foreach (var problem in problems)
                {
                    world.Journal.Violation($"{MostConverging} after everything was at rest{(byReads ? " and though keys were read" : "")}: {problem}");
                }

                return;
            }

            foreach (var key in byReads ? world.Writes.Keys.ToArray() : [])
            {
                await ReadAsync(world, key);
            }

            await world.DelayAsync(Interval);
        }

        world.Journal.Note("-- replicas are equal --");
    }

    private static async Task ReadAllAsync(SimWorld world)
    {
        foreach (var key in world.Writes.Keys.ToArray())
        {
            var over = world.Writes.Over(key);
            world.Writes.Final(key, await ReadAsync(world, key), over);
        }
    }

    private static async Task<KvOutcome?> ReadAsync(SimWorld world, TrackedKey key)
    {
        var node = world.Serving(world.Random.Next(world.Cluster.Nodes.Length))!;
        var outcome = await node.AskAsync(new KvRequest.Get { Key = key.Key, R = QuorumValue.All, SloppyQuorum = false });
        world.Journal.Note($"     {key.Key} at {node.Name}: {OutcomeText.Of(outcome)}");
        return outcome;
    }

    /// <summary>A cluster at rest takes a write at every node, on all replicas.</summary>
    private static async Task WriteEverywhereAsync(SimWorld world)
    {
        foreach (var node in world.Cluster.Up.Where(node => node.Document is not null).ToArray())
        {
            var type = world.Plan.Types[0];
            var content = new Sibling { Dot = null, Value = "last"u8.ToArray() };
            var put = new KvRequest.Put { Key = new ObjectKey(type.Name, "last", node.Name), Content = content, W = QuorumValue.All, Pw = QuorumValue.All };
            var outcome = await node.AskAsync(type.Rule == BucketRule.Set ? SetUpdates.Of(put, "last", null, []) : put);
            if (outcome is not KvOutcome.Stored)
            {
                world.Journal.Violation($"at rest, {node.Name} answers a write with {OutcomeText.Of(outcome)}");
            }
        }
    }
}
