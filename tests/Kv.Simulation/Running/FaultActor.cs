using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>Does to the machines what the plan says, and undoes it in time.</summary>
internal sealed class FaultActor(SimWorld world)
{
    private readonly HashSet<SimNode> stopping = [];

    private SimNetwork Network => world.Cluster.Network;

    public async Task RunAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.Crash crash when world.Node(crash.Node) is { IsUp: true } node:
                world.Kill(node, crash.LosesPower);
                await RestartAsync(node, crash.DownFor);
                break;
            case Fault.PowerCut cut:
                var dark = cut.Nodes.Select(world.Node).Where(node => node.IsUp).ToList();
                dark.ForEach(node => world.Kill(node, losesPower: true));
                await Task.WhenAll(dark.Select(node => RestartAsync(node, cut.DownFor)));
                break;
            case Fault.Stop stop when world.Node(stop.Node) is { IsUp: true, IsPaused: false } node && !world.IsStarting(node):
                await StopAsync(node);
                await RestartAsync(node, stop.DownFor);
                break;
            case Fault.Pause pause when world.Node(pause.Node) is { IsUp: true } node:
                node.Pause();
                await UndoAsync(pause.For, node.Resume);
                break;
            case Fault.LosePartitions lose:
                await LoseAsync(lose);
                break;
            case Fault.LoseVolume lose:
                world.Kill(world.Node(lose.Node), losesPower: true);
                world.Node(lose.Node).LoseVolume(world.Cluster.Seams.IdAfterLoss(world.Node(lose.Node), world.NewId()));
                await RestartAsync(world.Node(lose.Node), lose.DownFor);
                break;
            case Fault.Die death when world.Node(death.Node) is { IsUp: true } node:
                world.Kill(node, losesPower: true);
                await RestartAsync(node, death.DownFor);
                break;
            case Fault.Rot rot when world.Node(rot.Node) is var node && node.Volume.Rot():
                world.ExpectFailure(node);
                break;
            case Fault.FailedSync failed when world.Node(failed.Node) is { IsUp: true } node:
                world.ExpectFailure(node);
                node.Volume.FailSyncs = true;
                break;
            case Fault.FullDisk full:
                world.Node(full.Node).Volume.IsFull = true;
                await UndoAsync(full.For, () => world.Node(full.Node).Volume.IsFull = false);
                break;
            case Fault.NoMemory none:
                world.Node(none.Node).Volume.RefusesReads = true;
                await UndoAsync(none.For, () => world.Node(none.Node).Volume.RefusesReads = false);
                break;
            case Fault.Drift drift:
                world.Node(drift.Node).Clock.Drift(drift.Rate);
                break;
            case Fault.Jump jump:
                world.Node(jump.Node).Clock.Jump(jump.By);
                break;
            default:
                await RunOnNetworkAsync(fault);
                break;
        }
    }

    private async Task RunOnNetworkAsync(Fault fault)
    {
        switch (fault)
        {
            case Fault.Part part:
                var links = Links(part.Side);
                links.ForEach(link => Network.Cut(link.A, link.B));
                await UndoAsync(part.For, () => links.ForEach(link => Network.Heal(link.A, link.B)));
                break;
            case Fault.CutOneWay cut when world.Node(cut.From) != world.Node(cut.To):
                var (from, to) = (world.Node(cut.From).Id, world.Node(cut.To).Id);
                Network.CutOneWay(from, to);
                await UndoAsync(cut.For, () => Network.Heal(from, to));
                break;
            case Fault.SlowLink slow when world.Node(slow.From) != world.Node(slow.To):
                var (near, far) = (world.Node(slow.From).Id, world.Node(slow.To).Id);
                Network.Slow(near, far, slow.Factor);
                await UndoAsync(slow.For, () => Network.Slow(near, far, 1));
                break;
            case Fault.Weather weather:
                Network.Options = weather.Options;
                await UndoAsync(weather.For, () => Network.Options = new SimNetworkOptions());
                break;
        }
    }

    /// <summary>Everything works again, and everybody is up.</summary>
    public async Task HealAsync()
    {
        world.IsHealed = true;
        world.Journal.Note("-- everything heals --");
        Network.HealAll();
        Network.Options = new SimNetworkOptions();
        foreach (var node in world.Cluster.Nodes)
        {
            node.Resume();
            node.Clock.Drift(1);
            (node.Volume.IsFull, node.Volume.RefusesReads, node.Volume.FailSyncs) = (false, false, false);
            if (node.Volume.Rotten.Any())
            {
                world.Kill(node, losesPower: false);
                world.GiveUpRotten(node);
            }

            await world.StartAsync(node);
        }
    }

    private List<(Kv.Core.Rings.NodeId A, Kv.Core.Rings.NodeId B)> Links(IReadOnlyList<int> side)
    {
        var near = side.Select(world.Node).ToHashSet();
        return [.. near.SelectMany(node => world.Cluster.Nodes.Where(other => !near.Contains(other)).Select(other => (node.Id, other.Id)))];
    }

    private async Task StopAsync(SimNode node)
    {
        // Told twice, a process goes on stopping.
        if (!stopping.Add(node))
        {
            return;
        }

        // A stop that hangs is ended the hard way, as a kubelet does.
        var stop = node.StopAsync();
        await Task.WhenAny(stop, world.DelayAsync(TimeSpan.FromSeconds(30)));
        if (!stop.IsCompleted)
        {
            world.Journal.Note($"{node.Name} does not stop and is killed");
            world.Kill(node, losesPower: false);
        }

        stopping.Remove(node);
    }

    private async Task LoseAsync(Fault.LosePartitions lose)
    {
        var node = world.Node(lose.Node);
        world.Kill(node, losesPower: true);
        foreach (var partition in node.Volume.Partitions.ToArray())
        {
            if (world.Random.NextDouble() < lose.Share)
            {
                node.Volume.Lose(partition);
            }
        }

        await RestartAsync(node, lose.DownFor);
    }

    private Task RestartAsync(SimNode node, TimeSpan after) => UndoAsync(after, () => world.StartAsync(node));

    private Task UndoAsync(TimeSpan after, Action undo) => UndoAsync(after, () =>
    {
        undo();
        return Task.CompletedTask;
    });

    private async Task UndoAsync(TimeSpan after, Func<Task> undo)
    {
        await world.DelayAsync(after);
        if (!world.IsHealed)
        {
            await undo();
        }
    }
}
