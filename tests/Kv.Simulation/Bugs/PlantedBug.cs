using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Bugs;

/// <summary>
/// A mistake that somebody might make, put between the nodes and their ports, and the number of seeds within which the simulation has to see it. Nodes carry no switches
/// for this: what is bent is what they are handed.
/// </summary>
public sealed record PlantedBug(string Name, string What, int WithinSeeds, Func<PlantedSeams> Plant)
{
    /// <summary>The first seed that shows the bug, with its verdict; null where none of them does.</summary>
    public SimVerdict? Find()
    {
        for (var seed = 1; seed <= WithinSeeds; seed++)
        {
            var verdict = SimRun.Run(PlanDrawing.Draw(seed), Plant());
            if (!verdict.IsClean)
            {
                return verdict;
            }
        }

        return null;
    }
}
