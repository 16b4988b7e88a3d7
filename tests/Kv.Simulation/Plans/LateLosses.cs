namespace Kv.Simulation.Plans;

/// <summary>
/// Losses that came to be drawn last, in plans that had none, and from a stream of their own: a volume that goes while partitions move, and clusters of three nodes, which can replace a member by itself
/// alone. The plan's types and what is asked of them stay; a type of its own has writes that are confirmed on more nodes than the loss can take (<see cref="SimPlan.LostCopies"/>).
/// </summary>
internal sealed class LateLosses
{
    private const int ThreeNodes = 3;

    /// <summary>Where three replicas lie on three nodes, wherever partitions are between two plans.</summary>
    private const int LeastThatStay = 4;

    private readonly Random random;
    private readonly SimPlan plan;
    private readonly List<PlannedEvent> events;
    private readonly int nodes;
    private int clients;

    private LateLosses(SimPlan plan)
    {
        this.plan = plan;
        random = new Random(unchecked(plan.Seed * 43));
        (events, clients) = ([.. plan.Events], plan.Clients);
        nodes = plan.Members + plan.Spares;
    }

    public static SimPlan AddTo(SimPlan plan) => plan.Losses > 0 ? plan : new LateLosses(plan).Add();

    private SimPlan Add()
    {
        var leavers = plan.Events.OfType<AdminCall.Leave>().Select(leave => leave.Node).Distinct().Count();
        if (plan.Moves && plan.Members - leavers >= LeastThatStay && Chance(0.3))
        {
            DrawLossWhileMoving();
            return With(leastReplicas: 3);
        }

        if (!plan.Moves && plan.Members == ThreeNodes && Chance(0.3))
        {
            DrawLossesOfOneOfThree();
            return With(leastReplicas: 2);
        }

        return plan;
    }

    /// <summary>Soon after something began to move, of a node that has to do with it or of any; now and then its links are slow, so that the move is half done.</summary>
    private void DrawLossWhileMoving()
    {
        var moves = plan.Events.OfType<AdminCall>().Where(call => call is AdminCall.Join or AdminCall.Leave).ToList();
        var move = moves[random.Next(moves.Count)];
        int[] moved = move is AdminCall.Join join ? [.. join.Nodes] : [((AdminCall.Leave)move).Node];
        var victim = Chance(0.5) ? moved[random.Next(moved.Length)] : random.Next(nodes);
        var at = Earlier(move.At + Seconds(0.1, 6));
        for (var links = Chance(0.6) ? random.Next(1, 6) : 0; links > 0; links--)
        {
            events.Add(new Fault.SlowLink(Next(), move.At, random.Next(nodes), Chance(0.5) ? moved[random.Next(moved.Length)] : victim, Pick(10, 100, 1000), Seconds(2, 10)));
        }

        events.Add(new Fault.LoseVolume(Next(), at, victim, Seconds(0.1, 6)));
        DrawReplace(at, victim, plan.Spares > 0 && Chance(0.2) ? random.Next(plan.Members, nodes) : victim);
    }

    /// <summary>One node loses data, perhaps more than once.</summary>
    private void DrawLossesOfOneOfThree()
    {
        var victim = random.Next(ThreeNodes);
        for (var count = random.Next(1, 3); count > 0; count--)
        {
            var at = plan.Length * (0.8 * random.NextDouble());
            switch (random.Next(5))
            {
                case 0:
                    events.Add(new Fault.Rot(Next(), at, victim));
                    events.Add(new AdminCall.Rebuild(Next(), Earlier(at + Seconds(0, 6)), victim));
                    break;
                case 1:
                    events.Add(new Fault.LosePartitions(Next(), at, victim, random.NextDouble(), Seconds(0.1, 6)));
                    events.Add(new AdminCall.Rebuild(Next(), Earlier(at + Seconds(0, 6)), victim));
                    break;
                default:
                    events.Add(new Fault.LoseVolume(Next(), at, victim, Seconds(0.1, 6)));
                    DrawReplace(at, victim, victim);
                    break;
            }
        }
    }

    private void DrawReplace(TimeSpan lost, int dead, int heir)
    {
        for (var administrators = Chance(0.3) ? 2 : 1; administrators > 0; administrators--)
        {
            events.Add(new AdminCall.Replace(Next(), Earlier(lost + Seconds(1, 6)), random.Next(nodes), dead, heir, Chance(0.3)));
        }
    }

    /// <summary>No key of any type has lost all its replicas by the loss, so that nobody has to give data up.</summary>
    private SimPlan With(int leastReplicas)
    {
        var lossy = plan with { Losses = 1 };
        var rule = Chance(0.6) ? BucketRule.Siblings : Pick(Enum.GetValues<BucketRule>());
        var type = new BucketPlan($"t{plan.Types.Length}", rule, 3, Pick("keep", "keep", "immediate", "3000", "200"), "synced", lossy.LostCopies + 1);
        DrawCalls(plan.Types.Length, type);
        return lossy with
        {
            Types = [.. plan.Types.Select(other => other with { NVal = Math.Max(leastReplicas, other.NVal) }), type],
            Clients = clients,
            Events = [.. events.OrderBy(planned => planned.At).ThenBy(planned => planned.Number)],
        };
    }

    private void DrawCalls(int place, BucketPlan type)
    {
        var (keys, pause) = (random.Next(3, 12), Pick(30, 100));
        var deletes = Chance(0.5) ? 0.1 : 0;
        var forms = random.Next(3) * 0.3;
        for (var left = random.Next(1, 4); left > 0; left--, clients++)
        {
            for (var at = plan.Length * (0.02 * random.NextDouble()); at < plan.Length; at += TimeSpan.FromMilliseconds(random.Next(1, 2 * pause)))
            {
                var verb = Chance(deletes) ? ClientVerb.Delete : Chance(0.3) ? ClientVerb.Get : ClientVerb.Put;
                var call = new ClientCall(Next(), at, clients, random.Next(nodes), place, random.Next(keys), verb, Chance(0.75));
                events.Add(Chance(forms) ? CallOptions.DrawForm(random, call, type) : call);
            }
        }
    }

    /// <summary>Not so late that it is over when it begins.</summary>
    private TimeSpan Earlier(TimeSpan at) => at < plan.Length * 0.95 ? at : plan.Length * 0.95;

    private int Next() => events.Count + 1;

    private bool Chance(double chance) => random.NextDouble() < chance;

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromSeconds(least + ((most - least) * random.NextDouble()));

    private T Pick<T>(params T[] among) => among[random.Next(among.Length)];
}
