using Kv.Core.Buckets;
using Kv.Core.Quorum;

namespace Kv.Simulation.Plans;

/// <summary>
/// What came to be drawn when seeds had been in use for long, behind all that they drew before, which stays as it was: types whose objects have index entries, are in memory alone or end, with clients
/// of their own; queries, and crowds of them; administrators at cross purposes.
/// </summary>
internal sealed class PlanAdditions
{
    private const int KeysOfARestart = 12;

    private const int FirstKeyOfARestart = 100;

    private readonly Random random;
    private readonly SimPlan plan;
    private readonly List<PlannedEvent> events;
    private readonly List<BucketPlan> types;
    private readonly int nodes;
    private readonly bool moves;
    private int clients;

    private PlanAdditions(SimPlan plan)
    {
        this.plan = plan;
        random = new Random(unchecked(plan.Seed * 41));
        (events, types, clients) = ([.. plan.Events], [.. plan.Types], plan.Clients);
        nodes = plan.Members + plan.Spares;
        moves = plan.Moves;
    }

    public static SimPlan AddTo(SimPlan plan) => new PlanAdditions(plan).Add();

    private SimPlan Add()
    {
        for (var count = Chance(0.5) ? random.Next(1, 3) : 0; count > 0; count--)
        {
            types.Add(DrawType());
            DrawCalls(types.Count - 1);
        }

        for (var count = types[^1].IsInMemory ? random.Next(0, 4) : 0; count > 0; count--)
        {
            DrawRestart(types.Count - 1);
        }


        DrawQueries();
        DrawCrowds();
        if (moves && plan.Members >= 3 && Chance(0.4))
        {
            DrawCrossPurposes();
        }

        return plan with { Types = [.. types], Clients = clients, Events = [.. events.OrderBy(planned => planned.At).ThenBy(planned => planned.Number)] };
    }

    private BucketPlan DrawType()
    {
        var (backend, ends) = Pick<(string? Backend, bool Ends)>((BucketProps.OrderedBackend, false), (BucketProps.MemoryBackend, false), (null, true), (BucketProps.MemoryBackend, true));
        BucketRule[] rules =
        [
            BucketRule.Newest, BucketRule.NewestByClock, BucketRule.LastWriteWins,
            .. ends ? [] : new[] { BucketRule.WriteOnce },
            .. ends || backend == BucketProps.OrderedBackend ? [] : new[] { BucketRule.Set },
        ];
        var nVal = Chance(0.7) ? 3 : random.Next(Math.Max(1, plan.Losses + 1), 6);
        var durability = plan.Losses > 0 || backend == BucketProps.MemoryBackend || Chance(0.75) ? "synced" : Pick("interval", "memory");
        var confirms = plan.Losses > 0 ? plan.Losses + 1 : moves || backend != BucketProps.MemoryBackend || Chance(0.2) ? 0 : Math.Min(2, Math.Min(nVal, plan.Members));
        return new BucketPlan($"t{types.Count}", Chance(backend == BucketProps.MemoryBackend ? 0.7 : 0.5) ? BucketRule.Siblings : Pick(rules), nVal, Pick("keep", "immediate", "3000", "200"), durability, confirms)
        {
            Backend = backend,
            TtlSeconds = ends ? Pick(3, 10, 30, 3600) : null,
        };
    }

    private void DrawCalls(int type)
    {
        var isInMemory = types[type].IsInMemory;
        var (keys, pause) = (random.Next(1, 6), Pick(30, 100, 300));
        var withOptions = Chance(0.6) ? 0.4 : 0;
        var (deletes, conditions) = (Chance(0.7) ? 0.15 : 0, Chance(0.3) ? 0.15 : 0);
        var asksPrimaries = Chance(0.4);
        var forms = random.Next(3) * 0.3;
        for (var left = random.Next(1, 4); left > 0; left--, clients++)
        {
            for (var at = plan.Length * (0.02 * random.NextDouble()); at < plan.Length; at += TimeSpan.FromMilliseconds(random.Next(1, 2 * pause)))
            {
                var call = new ClientCall(Next(), at, clients, random.Next(nodes), type, random.Next(keys), DrawVerb(deletes, conditions), Chance(0.75));
                call = asksPrimaries ? call with { Pr = QuorumValue.Quorum, Pw = isInMemory ? QuorumValue.All : QuorumValue.Quorum } : call;
                call = Chance(withOptions) ? CallOptions.Draw(random, call, types[type].NVal) : call;
                events.Add(Chance(forms) ? CallOptions.DrawForm(random, call, types[type]) : call);
            }
        }
    }

    private ClientVerb DrawVerb(double deletes, double conditions) =>
        Chance(deletes) ? ClientVerb.Delete
        : Chance(conditions) ? Pick(ClientVerb.PutIfNone, ClientVerb.PutIfUnchanged)
        : Pick(ClientVerb.Get, ClientVerb.Put);

    /// <summary>
    /// A restart takes what is in memory alone. A client had written keys there that nobody else knows, writes them there again before the others have filled the node, and then asks for them.
    /// </summary>
    private void DrawRestart(int type)
    {
        var (node, at, down) = (random.Next(nodes), plan.Length * (0.9 * random.NextDouble()), TimeSpan.FromSeconds(0.05 + (0.5 * random.NextDouble())));
        events.Add(new Fault.Stop(Next(), at, node, Drains: false, down));
        var back = at + down + TimeSpan.FromSeconds(1.5 * random.NextDouble());
        for (var key = 0; key < KeysOfARestart; key++)
        {
            var turn = TimeSpan.FromMilliseconds(20 * key);
            var put = new ClientCall(Next(), at - TimeSpan.FromSeconds(0.5) + turn, clients, node, type, FirstKeyOfARestart + key, ClientVerb.Put, WithContext: false) { Pw = QuorumValue.All };
            events.Add(put);
            events.Add(put with { Number = Next(), At = back + turn, Pw = QuorumValue.Default });
            events.Add(put with { Number = Next(), At = back + TimeSpan.FromSeconds(1) + turn, Verb = ClientVerb.Get, Pr = QuorumValue.Quorum });
        }

        clients++;
    }

    private void DrawQueries()
    {
        for (var count = Chance(0.3) || types.Exists(type => type.IsOrdered) ? random.Next(1, 12) : 0; count > 0; count--)
        {
            var type = random.Next(types.Count);
            var kind = types[type].IsOrdered ? Pick(Enum.GetValues<QueryKind>()) : QueryKind.Listing;
            events.Add(new Query(Next(), plan.Length * random.NextDouble(), random.Next(nodes), type, kind, Chance(0.5) ? null : random.Next(1, 4)));
        }
    }

    private void DrawCrowds()
    {
        for (var count = Chance(types.Exists(type => type.IsOrdered) ? 0.4 : 0.1) || (plan.QueueBound < SimPlan.AmpleQueueBound && Chance(0.3)) ? random.Next(1, 4) : 0; count > 0; count--)
        {
            var at = plan.Length * (0.9 * random.NextDouble());
            events.Add(new Fault.SlowDisk(Next(), at, random.Next(nodes), TimeSpan.FromSeconds(0.1 + (6 * random.NextDouble()))));
            events.Add(new Crowd(Next(), at, random.Next(nodes), Chance(0.5) ? types.Count - 1 : random.Next(types.Count)) { Lists = true });
        }
    }

    /// <summary>Two want to see two members go, and look at what is planned for a while: what the first one looked at is not what is planned when he commits it.</summary>
    private void DrawCrossPurposes()
    {
        var at = plan.Length * (0.7 * random.NextDouble());
        var first = random.Next(plan.Members);
        for (var place = 0; place < 2; place++)
        {
            var leave = new AdminCall.Leave(Next(), at, random.Next(nodes), (first + place) % plan.Members, CommitsTwice: false) { Thinks = TimeSpan.FromSeconds(0.5 + (2 * random.NextDouble())) };
            events.Add(leave);
            events.Add(new AdminCall.ConfirmExit(Next(), at + TimeSpan.FromSeconds(4 * random.NextDouble()), random.Next(nodes), leave.Node));
            at += TimeSpan.FromSeconds(0.5 * random.NextDouble());
        }
    }

    private int Next() => events.Count + 1;

    private bool Chance(double chance) => random.NextDouble() < chance;

    private T Pick<T>(params T[] among) => among[random.Next(among.Length)];
}
