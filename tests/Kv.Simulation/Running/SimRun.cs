using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>One run: forms the cluster, lets faults, administrators and clients loose on it, heals it, and looks at what is left.</summary>
public static class SimRun
{
    /// <summary>A healed cluster is at rest within this time.</summary>
    private static readonly TimeSpan MostSettling = TimeSpan.FromMinutes(5);

    /// <summary>Never throws for what the cluster does: a hang, a crash of the simulation or a broken promise is a violation in the verdict.</summary>
    public static SimVerdict Run(SimPlan plan, SimSeams? seams = null, Action<string>? onNote = null)
    {
        var world = new SimWorld(plan, seams ?? new SimSeams());
        world.Scheduler.OnNote = onNote;
        try
        {
            world.Scheduler.Run(() => PlayAsync(world));
        }
        catch (Exception failure)
        {
            world.Journal.Violation($"the run broke off: {failure}");
        }

        foreach (var node in world.Cluster.Up.ToArray())
        {
            node.Kill(losesPower: false);
        }

        return new SimVerdict
        {
            Seed = plan.Seed,
            Violations = world.Journal.Violations,
            Journal = world.Journal.Lines,
            TraceHash = world.Scheduler.TraceHash,
            SimulatedTime = world.Now,
            Steps = world.Scheduler.Steps,
            Faults = world.Faults,
            Calls = world.Calls,
            Acknowledged = world.Writes.Acknowledged,
        };
    }

    private static async Task PlayAsync(SimWorld world)
    {
        await FormAsync(world);
        var begin = world.Now;
        var supervisor = new Supervisor(world);
        var supervising = supervisor.RunAsync();
        var faults = new FaultActor(world);
        var admins = new AdminActor(world);
        var acting = Begin(world, begin, faults, admins);
        await world.DelayAsync(world.Plan.Length);
        await faults.HealAsync();
        await Task.WhenAll(acting);
        if (await SettleAsync(world, admins))
        {
            await FinalChecks.RunAsync(world);
        }

        supervisor.End();
        await supervising;
    }

    private static async Task FormAsync(SimWorld world)
    {
        foreach (var node in world.Cluster.Nodes)
        {
            await node.StartAsync();
        }

        await world.Cluster.FormAsync(world.Plan.Members, world.Plan.RingSize);
        var admin = world.Cluster.Nodes[0];
        foreach (var type in world.Plan.Types)
        {
            SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync(type.Name, type.Json, default)));
        }

        await world.Cluster.UntilAsync(() => world.Plan.Types.All(type => admin.Node.Admin.GetBucketType(type.Name).Value!.MissingOn.IsEmpty), 20, "the bucket types are ready");
        foreach (var type in world.Plan.Types)
        {
            SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync(type.Name, default)));
        }

        await world.Cluster.SettleAsync();
        world.Documents.IsFormed = true;
        world.Journal.Note("-- the cluster is formed --");
    }

    private static List<Task> Begin(SimWorld world, TimeSpan begin, FaultActor faults, AdminActor admins)
    {
        var acting = new List<Task>();
        foreach (var client in world.Plan.Events.OfType<ClientCall>().GroupBy(call => call.Client))
        {
            acting.Add(new ClientActor(world, [.. client.Select(call => call with { At = call.At + begin })]).RunAsync());
        }

        foreach (var planned in world.Plan.Events)
        {
            switch (planned)
            {
                case Fault fault:
                    acting.Add(AtAsync(world, begin, fault, () => faults.RunAsync(fault)));
                    break;
                case Crowd crowd:
                    acting.Add(AtAsync(world, begin, crowd, () => new CrowdActor(world).RunAsync(crowd)));
                    break;
                case Query query:
                    acting.Add(AtAsync(world, begin, query, () => new QueryActor(world).RunAsync(query)));
                    break;
                case AdminCall call:
                    acting.Add(AtAsync(world, begin, call, () => admins.RunAsync(call)));
                    break;
            }
        }

        return acting;
    }

    private static async Task AtAsync(SimWorld world, TimeSpan begin, PlannedEvent planned, Func<Task> act)
    {
        await world.DelayAsync(begin + planned.At - world.Now);
        if (!world.IsHealed)
        {
            world.Journal.Note($"{planned.Number,4} {planned.What}");
            await act();
        }
    }

    /// <summary>Nothing is on its way any more: all agree, all see each other, every partition is with its owner and nowhere else.</summary>
    private static async Task<bool> SettleAsync(SimWorld world, AdminActor admins)
    {
        var end = world.Now + MostSettling;
        await admins.FinishAsync();
        while (true)
        {
            await world.DelayAsync(TimeSpan.FromSeconds(1));
            if (IsAtRest(world) && await admins.ConfirmExitsAsync() && IsAtRest(world))
            {
                world.Journal.Note("-- the cluster is at rest --");
                return true;
            }

            if (world.Now > end)
            {
                world.Journal.Violation($"not at rest {MostSettling} after everything was healed: {RestText.WhyNot(world.Cluster)}");
                return false;
            }
        }
    }

    private static bool IsAtRest(SimWorld world) =>
        world.Cluster.Up.Any(node => node.Document is not null)
        && world.Cluster.Document.Members.All(member => world.Cluster.Nodes.Any(node => node.Id == member.Id))
        && world.Cluster.Nodes.All(node => node.IsUp && !node.Node.Failed.IsCompleted && KnowsWhereItStands(world.Cluster, node) && !ServesPartOnly(node)) && world.Cluster.IsSettled();

    /// <summary>Something of a member's is damaged and waits for an administrator.</summary>
    private static bool ServesPartOnly(SimNode node) => node.Document is not null && node.Volume.Reported.Count > 0;

    /// <summary>A node that is no member does not take itself for one.</summary>
    private static bool KnowsWhereItStands(SimCluster cluster, SimNode node) => node.Document is null || cluster.Document.FindMember(node.Id) is not null;
}
