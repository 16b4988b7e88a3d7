using System.Globalization;
using Kv.Simulation.Bugs;

namespace Kv.Simulation.Commands;

/// <summary>Plants each bug in turn, or those that are named, or every n-th of them (`--part K/N`), and looks for it within its number of seeds.</summary>
internal static class BugsCommand
{
    public static int Run(string[] arguments)
    {
        if (Chosen(arguments) is not { Count: > 0 } planted)
        {
            Console.Error.WriteLine($"that names no planted bugs; there are {string.Join(", ", PlantedBugs.All.Select(bug => bug.Name))}, or `--part K/N`");
            return 2;
        }

        var unseen = 0;
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

    private static List<PlantedBug>? Chosen(string[] arguments) => arguments switch
    {
        ["--part", var part] => part.Split('/') is [var k, var n] && int.TryParse(k, CultureInfo.InvariantCulture, out var which) && int.TryParse(n, CultureInfo.InvariantCulture, out var of) && of > 0
            ? [.. PlantedBugs.All.Where((_, place) => place % of == which % of)]
            : null,
        [] => [.. PlantedBugs.All],
        var names => names.All(name => PlantedBugs.All.Any(bug => bug.Name == name)) ? [.. PlantedBugs.All.Where(bug => names.Contains(bug.Name))] : null,
    };
}
