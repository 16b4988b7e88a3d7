using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>
/// A mistake that somebody might make, put between the nodes and their ports, and the number of seeds within which the simulation has to see it. Nodes carry no switches
/// for this: what is bent is what they are handed.
/// </summary>
public sealed record PlantedBug(string Name, string What, int WithinSeeds, Func<PlantedSeams> Plant)
{
    /// <summary>Plans in which nothing of it could show are passed over.</summary>
    public Func<SimPlan, bool> MayShow { get; init; } = _ => true;

    /// <summary>The first seed that shows the bug and is clean without it, with its verdict; null where none of them is.</summary>
    public SimVerdict? Find() => Find((plan, seams) => SimRun.Run(plan, seams));

    internal SimVerdict? Find(Func<SimPlan, SimSeams?, SimVerdict> run)
    {
        for (var seed = 1; seed <= WithinSeeds; seed++)
        {
            var plan = PlanDrawing.Draw(seed);
            if (!MayShow(plan))
            {
                continue;
            }

            var verdict = run(plan, Plant());
            if (!verdict.IsClean && run(plan, null).IsClean)
            {
                return verdict;
            }
        }

        return null;
    }
}
