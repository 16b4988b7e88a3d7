using System.Globalization;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.Simulation.Shrinking;

namespace Kv.Simulation.Commands;

/// <summary>Makes the plan of a seed that fails as short as it gets, tells it, and writes it into a file (see <see cref="PlanText"/>).</summary>
internal static class KeepCommand
{
    private const int MostTries = 200;

    public static int Run(string[] arguments)
    {
        if (arguments is not [var text, var file] || !int.TryParse(text, CultureInfo.InvariantCulture, out var seed))
        {
            Console.Error.WriteLine("keep: which seed, and into which file?");
            return 2;
        }

        var verdict = SimRun.Run(PlanDrawing.Draw(seed));
        if (verdict.IsClean)
        {
            Console.Error.WriteLine(VerdictText.Of(verdict));
            return 1;
        }

        Keep(verdict, file);
        return 0;
    }

    public static void Keep(SimVerdict failed, string file)
    {
        Console.WriteLine(FormattableString.Invariant($"looking for a shorter run of seed {failed.Seed} that fails"));
        var (plan, verdict) = new PlanShrinking(candidate => SimRun.Run(candidate), MostTries).Shrink(PlanDrawing.Draw(failed.Seed), failed);
        Console.Write(plan.Describe());
        Console.WriteLine(string.Join('\n', verdict.Journal));
        Console.WriteLine(VerdictText.Of(verdict));
        File.WriteAllText(file, $"# {verdict.Violations[0].Split('\n')[0]}\n{PlanText.Write(plan)}");
        Console.WriteLine(FormattableString.Invariant($"again: make sim PLAN={file}, or make sim SEED={plan.Seed} ONLY={NumberRanges.Format(plan.Events.Select(planned => planned.Number))}"));
    }
}
