using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Shrinking;

/// <summary>
/// Looks for a shorter plan that still fails, by leaving events out: halves first, then ever smaller parts, until no single event can go or the tries are used up (Zeller's
/// delta debugging). The seed stays, so that what the shorter run draws on its way is the same kind of luck and not the same luck: any broken promise counts.
/// </summary>
public sealed class PlanShrinking(Func<SimPlan, SimVerdict> run, int mostTries)
{
    private int tries;

    /// <summary>The shortest failing plan that was found, with its verdict; the given ones where none is shorter.</summary>
    public (SimPlan Plan, SimVerdict Verdict) Shrink(SimPlan plan, SimVerdict verdict)
    {
        var parts = 2;
        while (plan.Events.Length > 0 && tries < mostTries)
        {
            parts = Math.Min(parts, plan.Events.Length);
            if (TryWithoutOnePart(plan, parts) is { } shorter)
            {
                (plan, verdict) = shorter;
                parts = Math.Max(2, parts - 1);
            }
            else if (parts == plan.Events.Length)
            {
                break;
            }
            else
            {
                parts *= 2;
            }
        }

        return (plan, verdict);
    }

    private (SimPlan Plan, SimVerdict Verdict)? TryWithoutOnePart(SimPlan plan, int parts)
    {
        var events = plan.Events;
        for (var part = 0; part < parts && tries < mostTries; part++)
        {
            // The last first: what happens late is less likely to be needed.
            var (begin, end) = (events.Length * (parts - part - 1) / parts, events.Length * (parts - part) / parts);
            var shorter = plan with { Events = [.. events[..begin], .. events[end..]] };
            tries++;
            var verdict = run(shorter);
            if (!verdict.IsClean)
            {
                return (shorter, verdict);
            }
        }

        return null;
    }
}
