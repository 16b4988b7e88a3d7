using Kv.Core.Stores;
using Kv.Simulation.Checkers;

namespace Kv.Simulation.Running;

/// <summary>Looks after the processes: one that gave itself up is started again, and one that had no reason to is a bug. Looks at queues and indexes on the way.</summary>
internal sealed class Supervisor(SimWorld world)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private bool isEnding;

    public async Task RunAsync()
    {
        while (!isEnding)
        {
            await world.DelayAsync(Interval);
            world.Indexes.Check();
            foreach (var node in world.Cluster.Nodes)
            {
                if (!node.IsUp && world.IsHealed)
                {
                    // It was on its way down when everything was healed.
                    await world.StartAsync(node);
                }
                else if (node.IsUp)
                {
                    QueueChecker.Check(node, world.Journal);
                    if (!node.IsPaused && node.Node.Failed.IsCompleted)
                    {
                        await RestartAsync(node);
                    }
                }
            }
        }
    }

    public void End() => isEnding = true;

    private async Task RestartAsync(Kv.TestKit.SimNode node)
    {
        var failure = await node.Node.Failed;
        world.Journal.Note($"{node.Name} gives up: {failure.Message}");
        if (failure is not StoreException || !world.IsFailureExpected(node))
        {
            world.Journal.Violation($"{node.Name} failed without a reason: {failure}");
        }

        node.Volume.FailSyncs = false;
        world.Kill(node, losesPower: false);
        await world.DelayAsync(SimWorld.BetweenStarts);
        await world.StartAsync(node);
    }
}
