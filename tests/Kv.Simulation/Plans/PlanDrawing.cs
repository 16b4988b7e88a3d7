using System.Collections.Immutable;
using Kv.Core.Quorum;
using Kv.TestKit;

namespace Kv.Simulation.Plans;

/// <summary>
/// Draws a run from its seed. Each run draws which kinds of faults and calls it has at all, so that rare combinations come up that a mix of everything would drown
/// (swarm testing). What is drawn leaves the promises possible: see node/docs/simulation.md.
/// </summary>
public sealed partial class PlanDrawing
{
    private static readonly int[] RingSizes = [8, 8, 16, 16, 32, 64];

    private readonly Random random;

    // Of its own, so that what came later to be drawn leaves the rest of each seed's plan as it was.
    private readonly Random dataTypes;

    // The same for what came after those.
    private readonly Random later;

    // And for what came after that.
    private readonly Random latest;
    private readonly List<PlannedEvent> events = [];
    private readonly int seed;
    private int nodes;
    private TimeSpan length;

    private PlanDrawing(int seed)
    {
        this.seed = seed;
        random = new Random(seed);
        dataTypes = new Random(~seed);
        later = new Random(unchecked(seed * 31));
        latest = new Random(unchecked(seed * 37));
    }

    public static SimPlan Draw(int seed) => LateDuels.AddTo(LateLosses.AddTo(PlanAdditions.AddTo(new PlanDrawing(seed).Draw())));

    private SimPlan Draw()
    {
        var members = 1 + Math.Min(random.Next(9), random.Next(9));
        var losses = members >= 4 && Chance(0.6) ? (members >= 5 && Chance(0.2) ? 2 : 1) : 0;

        // A volume that goes while partitions move may be the only one with both of two copies, which no claim can help: see LateLosses.
        var moves = losses == 0 && Chance(0.5);
        var spares = moves ? random.Next(0, 3) : losses > 0 ? random.Next(0, 2) : 0;
        nodes = members + spares;
        length = TimeSpan.FromSeconds(random.Next(10, 45));
        var clients = random.Next(1, 6);
        ImmutableArray<BucketPlan> types = [.. Enumerable.Range(0, random.Next(1, 4)).Select(place => DrawType(place, moves ? 0 : members, losses))];
        DrawCalls(clients, types);
        DrawFaults();
        DrawDiskFaults();
        DrawLosses(members, losses);
        if (moves)
        {
            DrawMoves(members);
        }

        DrawPropsChanges(types, moves ? 0 : members, losses);
        if (members >= 3 && Chance(0.3))
        {
            DrawDuels(members, types);
        }

        DrawRebuilds();
        DrawCrowds(types.Length);
        return new SimPlan
        {
            Seed = seed,
            Members = members,
            Spares = spares,
            Zones = Chance(0.3) ? random.Next(2, 4) : 1,
            RingSize = RingSizes[random.Next(RingSizes.Length)],
            Clients = clients,
            QueueBound = Chance(0.2) ? random.Next(4, 40) : SimPlan.AmpleQueueBound,
            IsRestless = Chance(0.2),
            Types = types,
            Events = [.. events.OrderBy(planned => planned.At).ThenBy(planned => planned.Number)],
            Length = length,
            Losses = losses,
        };
    }

    /// <summary>Where members may leave, none says how many nodes have to confirm: fewer may be left.</summary>
    private BucketPlan DrawType(int place, int members, int losses)
    {
        var rule = Chance(0.6) ? BucketRule.Siblings : (BucketRule)random.Next(1, 5);
        rule = rule == BucketRule.Siblings && dataTypes.NextDouble() < 0.25 ? BucketRule.Set : rule;
        var nVal = Chance(0.7) ? 3 : random.Next(Math.Max(1, losses + 1), 6);
        var delete = Pick("keep", "keep", "immediate", "3000", "200");
        var durability = losses > 0 || Chance(0.75) ? "synced" : Pick("interval", "memory");
        var confirms = losses > 0 ? losses + 1 : Chance(0.1) ? Math.Min(2, Math.Min(nVal, members)) : 0;
        return new BucketPlan($"t{place}", rule, nVal, delete, durability, confirms);
    }

    private void DrawCalls(int clients, ImmutableArray<BucketPlan> types)
    {
        var keys = random.Next(1, 8);
        var pause = Pick(30, 100, 300);
        var withOptions = Chance(0.6) ? 0.4 : 0;
        var deletes = Chance(0.7) ? 0.15 : 0;
        var conditions = Chance(0.5) ? 0.15 : 0;
        var asksPrimaries = Chance(0.15);
        var forms = later.Next(3) * 0.3;
        for (var client = 0; client < clients; client++)
        {
            for (var at = Within(0.02); at < length; at += TimeSpan.FromMilliseconds(random.Next(1, 2 * pause)))
            {
                var type = random.Next(types.Length);
                var call = new ClientCall(Next(), at, client, random.Next(nodes), type, random.Next(keys), DrawVerb(deletes, conditions), Chance(0.75));
                call = asksPrimaries ? call with { Pr = QuorumValue.Quorum, Pw = QuorumValue.Quorum } : call;
                call = Chance(withOptions) ? CallOptions.Draw(random, call, types[type].NVal) : call;
                events.Add(later.NextDouble() < forms ? CallOptions.DrawForm(later, call, types[type]) : call);
            }
        }
    }

    private ClientVerb DrawVerb(double deletes, double conditions)
    {
        if (Chance(deletes))
        {
            return ClientVerb.Delete;
        }

        return Chance(conditions) ? Pick(ClientVerb.PutIfNone, ClientVerb.PutIfUnchanged) : Pick(ClientVerb.Get, ClientVerb.Put);
    }

    private void DrawFaults()
    {
        var kinds = Enumerable.Range(0, 12).Where(_ => Chance(0.4)).ToArray();
        if (kinds.Length == 0)
        {
            return;
        }

        var pause = TimeSpan.FromSeconds(Pick(0.5, 2, 5));
        for (var at = Within(0.1); at < length; at += pause * (2 * random.NextDouble()))
        {
            events.Add(DrawFault(kinds[random.Next(kinds.Length)], at));
        }
    }

    private Fault DrawFault(int kind, TimeSpan at)
    {
        var (number, node, other, time) = (Next(), random.Next(nodes), random.Next(nodes), Seconds(0.1, 12));
        return kind switch
        {
            0 when node == other => new Fault.PowerCut(number, at, [.. Enumerable.Range(0, nodes)], time),
            0 => new Fault.Crash(number, at, node, true, time),
            1 => new Fault.Crash(number, at, node, false, time),
            2 => new Fault.Stop(number, at, node, later.Next(2) == 0, time),
            3 => new Fault.Pause(number, at, node, time),
            4 => new Fault.Part(number, at, DrawSide(), time),
            5 => new Fault.CutOneWay(number, at, node, other, time),
            6 => new Fault.SlowLink(number, at, node, other, Pick(10, 100, 1000), time),
            7 => new Fault.Weather(number, at, DrawWeather(), time),
            8 => new Fault.Drift(number, at, node, 0.7 + (0.7 * random.NextDouble())),
            9 => new Fault.Jump(number, at, node, TimeSpan.FromHours(random.Next(-9000, 9000))),
            10 => new Fault.FullDisk(number, at, node, later.Next(2) == 0, time),
            _ => Chance(0.5) ? new Fault.NoMemory(number, at, node, time) : new Fault.FailedSync(number, at, node),
        };
    }

    private void DrawDiskFaults()
    {
        for (var count = later.Next(3) == 0 ? later.Next(1, 6) : 0; count > 0; count--)
        {
            var (number, at, node, time) = (Next(), length * later.NextDouble(), later.Next(nodes), TimeSpan.FromSeconds(0.1 + (12 * later.NextDouble())));
            events.Add(later.Next(2) == 0 ? new Fault.NoDrops(number, at, node, time) : new Fault.BrokenStore(number, at, node, later.Next(RingSizes[^1]), time));
        }
    }

    /// <summary>Crowds, and disks that are slow while they come, so that queues fill.</summary>
    private void DrawCrowds(int types)
    {
        for (var count = latest.Next(4) == 0 ? latest.Next(1, 5) : 0; count > 0; count--)
        {
            var (at, node) = (length * (0.9 * latest.NextDouble()), latest.Next(nodes));
            events.Add(new Crowd(Next(), at, node, latest.Next(types)));
            if (latest.Next(2) == 0)
            {
                events.Add(new Fault.SlowDisk(Next(), at, latest.Next(nodes), TimeSpan.FromSeconds(0.1 + (6 * latest.NextDouble()))));
            }
        }
    }

    private int[] DrawSide()
    {
        var side = Enumerable.Range(0, nodes).Where(_ => Chance(0.4)).ToArray();
        return side.Length == 0 ? [random.Next(nodes)] : side;
    }

    private SimNetworkOptions DrawWeather() => new()
    {
        RequestLoss = Chance(0.5) ? 0.1 * random.NextDouble() : 0,
        ReplyLoss = Chance(0.5) ? 0.1 * random.NextDouble() : 0,
        Duplication = Chance(0.5) ? 0.2 * random.NextDouble() : 0,
        Straggling = Chance(0.5) ? 0.2 * random.NextDouble() : 0,
        StraggleFactor = Pick(10, 100, 1000),
    };

    private int Next() => events.Count + 1;

    private bool Chance(double chance) => random.NextDouble() < chance;

    private TimeSpan Within(double share) => length * (share * random.NextDouble());

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromSeconds(least + ((most - least) * random.NextDouble()));

    private T Pick<T>(params T[] among) => among[random.Next(among.Length)];
}
