using System.Collections.Immutable;

namespace Kv.Simulation.Plans;

/// <summary>Administrators and what they are needed for: data that goes, members that come and go, properties that change.</summary>
public sealed partial class PlanDrawing
{
    /// <summary>The same few nodes lose data, each perhaps more than once.</summary>
    private void DrawLosses(int members, int losses)
    {
        var victims = Enumerable.Range(0, members).OrderBy(_ => random.Next()).Take(losses).ToArray();
        foreach (var victim in victims)
        {
            for (var count = random.Next(1, 3); count > 0; count--)
            {
                DrawLoss(members, losses, victim);
            }
        }

        for (var count = losses > 0 ? random.Next(0, 3) : 0; count > 0; count--)
        {
            DrawInterference(random.Next(3));
        }
    }

    private void DrawLoss(int members, int losses, int victim)
    {
        var (number, at) = (Next(), Within(0.8));
        switch (random.Next(5))
        {
            case 0:
                events.Add(new Fault.Rot(number, at, victim));
                break;
            case 1:
                events.Add(new Fault.LosePartitions(number, at, victim, Chance(0.5) ? 1 : random.NextDouble(), Seconds(0.1, 8)));
                break;
            case 2:
                events.Add(new Fault.Die(number, at, victim, Seconds(8, 40)));
                DrawGivingUp(at, victim, nodes > members ? random.Next(members, nodes) : null, losses);
                break;
            default:
                events.Add(new Fault.LoseVolume(number, at, victim, Seconds(0.1, 8)));
                DrawGivingUp(at, victim, nodes > members && Chance(0.3) ? random.Next(members, nodes) : victim, losses);
                break;
        }
    }

    /// <summary>Of what is damaged, by one administrator or two; or by none, until everything has healed.</summary>
    private void DrawRebuilds()
    {
        foreach (var fault in events.OfType<Fault>().Where(fault => fault is Fault.Rot or Fault.LosePartitions).ToList())
        {
            for (var administrators = latest.Next(3); administrators > 0; administrators--)
            {
                events.Add(new AdminCall.Rebuild(Next(), fault.At + TimeSpan.FromSeconds(6 * latest.NextDouble()), fault.Loses!.Value));
            }
        }
    }

    /// <summary>
    /// A removal moves partitions, so that two copies may come to lie on one node for a while: where another node loses data too, which no claim can help, there is none.
    /// </summary>
    private void DrawGivingUp(TimeSpan lost, int dead, int? heir, int losses)
    {
        var at = lost + Seconds(2, 8);
        for (var administrators = Chance(0.3) ? 2 : 1; administrators > 0; administrators--)
        {
            var (number, by) = (Next(), random.Next(nodes));
            if (losses == 1 && (heir is null || Chance(0.2)))
            {
                events.Add(new AdminCall.Remove(number, at, by, dead, Chance(0.3)));
            }
            else if (heir is { } with)
            {
                events.Add(new AdminCall.Replace(number, at, by, dead, with, Chance(0.3)));
            }

            // Another one, at the same time, who has seen nothing of the first.
            at += Seconds(0, 0.2);
        }
    }

    private void DrawMoves(int members)
    {
        int[] spare = [.. Enumerable.Range(members, nodes - members)];
        if (spare.Length > 0)
        {
            var at = Within(0.6);
            events.Add(new AdminCall.Join(Next(), at, random.Next(members), spare, Chance(0.3)));
            if (Chance(0.4))
            {
                // Another administrator, at the same time, who has seen nothing of the first.
                events.Add(new AdminCall.Join(Next(), at + Seconds(0, 0.2), random.Next(members), spare, Chance(0.3)));
            }

            if (Chance(0.3))
            {
                AddLeave(new AdminCall.Leave(Next(), at + Seconds(0, 0.2), random.Next(members), random.Next(nodes), Chance(0.3)));
            }
        }

        for (var count = random.Next(0, 4); count > 0; count--)
        {
            DrawInterference(random.Next(6));
        }
    }

    private void DrawInterference(int kind)
    {
        var (number, at, by, node) = (Next(), Within(1), random.Next(nodes), random.Next(nodes));
        switch (kind)
        {
            case 0:
                events.Add(new AdminCall.Clear(number, at, by));
                break;
            case 1:
                events.Add(new AdminCall.MarkDown(number, at, by, node));
                break;
            case 2:
                events.Add(new AdminCall.MarkUp(number, at, by, node));
                break;
            case 3:
                events.Add(new AdminCall.Commit(number, at, by));
                break;
            default:
                AddLeave(new AdminCall.Leave(number, at, by, node, Chance(0.3)));
                break;
        }
    }

    /// <summary>With somebody who wants to see the member go, from soon after; and now and then somebody who takes another for it.</summary>
    private void AddLeave(AdminCall.Leave leave)
    {
        events.Add(leave);
        events.Add(new AdminCall.ConfirmExit(Next(), leave.At + TimeSpan.FromSeconds(2 * later.NextDouble()), later.Next(nodes), leave.Node));
        if (later.Next(5) == 0)
        {
            events.Add(new AdminCall.ConfirmExit(Next(), length * later.NextDouble(), later.Next(nodes), later.Next(nodes)));
        }
    }

    /// <summary>
    /// The first two members do not see each other, so that each takes itself for the one who decides; both are asked in the same moment. Now and then the first one's
    /// words take long, or a voter dies and is back at once.
    /// </summary>
    private void DrawDuels(int members, ImmutableArray<BucketPlan> types)
    {
        var begin = Within(0.7);
        var time = Seconds(6, 15);
        events.Add(new Fault.CutOneWay(Next(), begin, 0, 1, time));
        var isSlow = Chance(0.5);
        for (var voter = isSlow ? 2 : members; voter < members; voter++)
        {
            events.Add(new Fault.SlowLink(Next(), begin, 0, voter, 10, time));
        }

        for (var duels = random.Next(2, 8); duels > 0; duels--)
        {
            var at = begin + Seconds(3, 10);
            for (var by = 0; by < 2; by++)
            {
                var type = random.Next(types.Length);
                events.Add(new AdminCall.ChangeProps(Next(), at + (by * Seconds(0, isSlow ? 0.06 : 0.004)), by, type, Chance(0.5), $$"""{"r":{{random.Next(1, types[type].NVal + 1)}}}"""));
            }

            if (Chance(0.5))
            {
                events.Add(new Fault.Crash(Next(), at + Seconds(0, 0.05), random.Next(nodes), Chance(0.5), Seconds(0.01, 0.3)));
            }
        }
    }

    /// <summary>Properties that change what requests wait for and how long things stay, and nothing of what the checkers look for.</summary>
    private void DrawPropsChanges(ImmutableArray<BucketPlan> types, int members, int losses)
    {
        for (var count = Chance(0.3) ? random.Next(1, 5) : 0; count > 0; count--)
        {
            var type = random.Next(types.Length);
            events.Add(new AdminCall.ChangeProps(Next(), Within(1), random.Next(nodes), type, Chance(0.3), DrawProps(types[type], members, losses)));
        }
    }

    private string DrawProps(BucketPlan type, int members, int losses) => random.Next(7) switch
    {
        0 => Chance(0.5) ? """{"aae":false}""" : """{"aae":true}""",
        1 => $$"""{"delete_mode":"{{Pick("keep", "immediate", "200", "3000")}}"}""",
        2 => $$"""{"{{Pick("r", "w")}}":{{random.Next(1, type.NVal + 1)}}}""",
        3 => $$"""{"{{Pick("pr", "pw", "dw")}}":{{random.Next(0, type.NVal + 1)}}}""",
        4 => $$"""{"{{Pick("basic_quorum", "notfound_ok")}}":{{Pick("true", "false")}}}""",
        5 when type.Rule == BucketRule.Newest => $$"""{"allow_mult":{{Pick("true", "false")}}}""",
        _ => $$"""{"node_confirms":{{(losses > 0 ? losses + 1 : random.Next(0, Math.Min(2, Math.Min(type.NVal, members)) + 1))}}}""",
    };
}
