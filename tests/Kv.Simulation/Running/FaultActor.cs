using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>Does to the machines what the plan says, and undoes it in time: what several faults hold is undone with the last of them.</summary>
internal sealed class FaultActor(SimWorld world)
{
    private static readonly TimeSpan DrainBudget = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SlowSyncTime = TimeSpan.FromSeconds(1);

    /// <summary>Those that are not over, in the order in which they began.</summary>
    private readonly List<Fault.Lasting> lasting = [];

    /// <summary>Nodes that are down, once for each fault that keeps them so.</summary>
    private readonly List<SimNode> down = [];
    private readonly HashSet<SimNode> stopping = [];

    private SimNetwork Network => world.Cluster.Network;

    public Task RunAsync(Fault fault)
    {
        if (Begin(fault) is not { } rest)
        {
            world.Journal.Note($"{fault.Number,4}   there is nothing that this could happen to");
            return Task.CompletedTask;
        }

        world.Faults++;
        return rest;
    }

    /// <summary>Everything works again, and everybody is up.</summary>
    public async Task HealAsync()
    {
        world.IsHealed = true;
        world.Journal.Note("-- everything heals --");
        lasting.Clear();
        Impose();
        foreach (var node in world.Cluster.Nodes)
        {
            node.Clock.Drift(1);
            node.Volume.FailSyncs = false;
            if (node.Volume.HidesRot)
            {
                // A start looks at everything, and so finds what nobody has read.
                world.Kill(node, losesPower: false);
            }

            await world.StartAsync(node);
        }
    }

    /// <summary>The rest of the fault, which has begun. Null where it found nothing to happen to.</summary>
    private Task? Begin(Fault fault) => fault switch
    {
        Fault.Crash crash when world.Node(crash.Node) is { IsUp: true } node => CrashAsync([node], crash.LosesPower, crash.DownFor),
        Fault.PowerCut cut when cut.Nodes.Select(world.Node).Where(node => node.IsUp).ToList() is { Count: > 0 } dark => CrashAsync(dark, losesPower: true, cut.DownFor),
        Fault.Die death when world.Node(death.Node) is { IsUp: true } node => CrashAsync([node], losesPower: true, death.DownFor),
        Fault.Stop stop when world.Node(stop.Node) is { IsUp: true, IsPaused: false } node && !world.IsStarting(node) && !stopping.Contains(node) => StopAsync(node, stop),
        Fault.LosePartitions lose => LosePartitionsAsync(world.Node(lose.Node), lose),
        Fault.LoseVolume lose => LoseVolumeAsync(world.Node(lose.Node), lose),
        Fault.Rot rot when world.Node(rot.Node).Volume.Rot() => Task.CompletedTask,
        Fault.FailedSync failed when world.Node(failed.Node) is { IsUp: true } node => AtOnce(() => FailSync(node)),
        Fault.Drift drift => AtOnce(() => world.Node(drift.Node).Clock.Drift(drift.Rate)),
        Fault.Jump jump => AtOnce(() => world.Node(jump.Node).Clock.Jump(jump.By)),
        Fault.Lasting lasts when MayBegin(lasts) => HoldAsync(lasts),
        _ => null,
    };

    private bool MayBegin(Fault.Lasting fault) => fault switch
    {
        Fault.Pause pause => world.Node(pause.Node).IsUp,
        Fault.Part part => Links(part.Side).Any(),
        Fault.CutOneWay cut => world.Node(cut.From) != world.Node(cut.To),
        Fault.SlowLink slow => world.Node(slow.From) != world.Node(slow.To),
        _ => true,
    };

    private async Task HoldAsync(Fault.Lasting fault)
    {
        lasting.Add(fault);
        Impose();
        switch (fault)
        {
            case Fault.Pause pause:
                world.Node(pause.Node).Pause();
                break;
            case Fault.FullDisk { ToTheLastByte: true } or Fault.BrokenStore:
                world.ExpectFailure(world.Node(((Fault.OnNode)fault).Node));
                break;
        }

        await UndoAsync(fault.For, () =>
        {
            lasting.Remove(fault);
            Impose();
            return Task.CompletedTask;
        });
    }

    /// <summary>Makes of the world what the faults that hold make of it together. A process that was started anew is not paused by what paused the one before.</summary>
    private void Impose()
    {
        Network.HealAll();
        Network.Options = lasting.OfType<Fault.Weather>().LastOrDefault()?.Options ?? new SimNetworkOptions();
        foreach (var (a, b) in lasting.OfType<Fault.Part>().SelectMany(part => Links(part.Side)))
        {
            Network.Cut(a, b);
        }

        foreach (var cut in lasting.OfType<Fault.CutOneWay>())
        {
            Network.CutOneWay(world.Node(cut.From).Id, world.Node(cut.To).Id);
        }

        foreach (var slow in lasting.OfType<Fault.SlowLink>().OrderBy(slow => slow.Factor))
        {
            Network.Slow(world.Node(slow.From).Id, world.Node(slow.To).Id, slow.Factor);
        }

        foreach (var node in world.Cluster.Nodes)
        {
            ImposeOn(node);
        }
    }

    private void ImposeOn(SimNode node)
    {
        var held = lasting.OfType<Fault.OnNode>().Where(fault => world.Node(fault.Node) == node).ToList();
        node.Volume.IsFull = held.Any(fault => fault is Fault.FullDisk);
        node.Volume.HasReserve = !held.Any(fault => fault is Fault.FullDisk { ToTheLastByte: true });
        node.Volume.RefusesReads = held.Any(fault => fault is Fault.NoMemory);
        node.Volume.MostSyncTime = held.Any(fault => fault is Fault.SlowDisk) ? SlowSyncTime : SimVolume.UsualSyncTime;
        node.Volume.RefusesDrops = held.Any(fault => fault is Fault.NoDrops);
        node.Volume.Broken = held.OfType<Fault.BrokenStore>().LastOrDefault() is { } broken ? new PartitionId(broken.Partition % world.Plan.RingSize) : null;
        if (!held.Any(fault => fault is Fault.Pause))
        {
            node.Resume();
        }
    }

    private IEnumerable<(NodeId A, NodeId B)> Links(IReadOnlyList<int> side)
    {
        var near = side.Select(world.Node).ToHashSet();
        return near.SelectMany(node => world.Cluster.Nodes.Where(other => !near.Contains(other)).Select(other => (node.Id, other.Id)));
    }

    private static Task AtOnce(Action happen)
    {
        happen();
        return Task.CompletedTask;
    }

    private void FailSync(SimNode node)
    {
        world.ExpectFailure(node);
        node.Volume.FailSyncs = true;
    }

    private Task CrashAsync(IReadOnlyList<SimNode> nodes, bool losesPower, TimeSpan downFor)
    {
        foreach (var node in nodes)
        {
            world.Kill(node, losesPower);
        }

        return Task.WhenAll(nodes.Select(node => StayDownAsync(node, downFor)));
    }

    private async Task StopAsync(SimNode node, Fault.Stop stop)
    {
        stopping.Add(node);
        var isThere = !stop.Drains || await DrainAsync(node);
        if (isThere)
        {
            await StopAsync(node);
        }

        stopping.Remove(node);
        if (isThere)
        {
            await StayDownAsync(node, stop.DownFor);
        }
    }

    /// <summary>False where the process is not there any more when it should be drained.</summary>
    private async Task<bool> DrainAsync(SimNode node)
    {
        var draining = node.InAsync(async () => await node.Node.Admin.DrainAsync(DrainBudget, CancellationToken.None));
        await Task.WhenAny(draining, world.DelayAsync(StopPatience));
        return node.IsUp && !world.IsStarting(node) && (!draining.IsCompletedSuccessfully || await draining is not null);
    }

    private async Task StopAsync(SimNode node)
    {
        // A stop that hangs is ended the hard way, as a kubelet does.
        var stop = node.StopAsync();
        await Task.WhenAny(stop, world.DelayAsync(StopPatience));
        if (stop.IsCompletedSuccessfully)
        {
            return;
        }

        world.Journal.Note(stop.IsFaulted ? $"{node.Name} ends with an error: {stop.Exception.InnerException!.Message}" : $"{node.Name} does not stop and is killed");
        if (stop.IsFaulted && (stop.Exception.InnerException is not StoreException || !world.IsFailureExpected(node)))
        {
            world.Journal.Violation($"{node.Name} cannot stop: {stop.Exception.InnerException}");
        }

        world.Kill(node, losesPower: false);
    }

    private Task LosePartitionsAsync(SimNode node, Fault.LosePartitions lose)
    {
        world.Kill(node, losesPower: true);
        foreach (var partition in node.Volume.Partitions.ToArray())
        {
            if (world.Random.NextDouble() < lose.Share)
            {
                node.Volume.Destroy(partition);
            }
        }

        return StayDownAsync(node, lose.DownFor);
    }

    private Task LoseVolumeAsync(SimNode node, Fault.LoseVolume lose)
    {
        world.Kill(node, losesPower: true);
        node.LoseVolume(world.Cluster.Seams.IdAfterLoss(node, world.NewId()));
        Impose();
        return StayDownAsync(node, lose.DownFor);
    }

    private Task StayDownAsync(SimNode node, TimeSpan time)
    {
        down.Add(node);
        return UndoAsync(time, () =>
        {
            down.Remove(node);
            return down.Contains(node) ? Task.CompletedTask : world.StartAsync(node);
        });
    }

    private async Task UndoAsync(TimeSpan after, Func<Task> undo)
    {
        await world.DelayAsync(after);
        if (!world.IsHealed)
        {
            await undo();
        }
    }
}
