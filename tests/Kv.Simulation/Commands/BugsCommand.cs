using Kv.Simulation.Bugs;

namespace Kv.Simulation.Commands;

/// <summary>Plants each bug in turn and looks for it within its number of seeds.</summary>
internal static class BugsCommand
{
    public static int Run(string[] names)
    {
        var unseen = 0;
        var planted = PlantedBugs.All.Where(bug => names.Length == 0 || names.Contains(bug.Name)).ToList();
        Parallel.ForEach(planted, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, bug =>
        {
            var found = bug.Find();
            lock (Console.Out)
            {
                unseen += found is null ? 1 : 0;
                Console.WriteLine(found is null
                    ? FormattableString.Invariant($"{bug.Name}: NOT SEEN within {bug.WithinSeeds} seeds ({bug.What})")
                    : FormattableString.Invariant($"{bug.Name}: seed {found.Seed} of {bug.WithinSeeds} ({bug.What}): {found.Violations[0].Split('\n')[0]}"));
            }
        });
        Console.WriteLine(FormattableString.Invariant($"{planted.Count} planted bugs, {unseen} not seen"));
        return unseen == 0 ? 0 : 1;
    }
}
