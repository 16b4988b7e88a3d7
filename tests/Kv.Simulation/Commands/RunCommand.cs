using System.Globalization;
using Kv.Simulation.Bugs;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Commands;

/// <summary>Replays one seed, or a plan that was kept: prints the plan, what happened, and how it ended.</summary>
internal static class RunCommand
{
    public static int Run(string[] arguments)
    {
        if (arguments.Length == 0 || PlanOf(arguments[0]) is not { } plan)
        {
            Console.Error.WriteLine("run: which seed, or the file of which plan?");
            return 2;
        }

        var only = Array.IndexOf(arguments, "--only");
        if (only > 0)
        {
            var kept = NumberRanges.Parse(arguments[only + 1]);
            plan = plan with { Events = [.. plan.Events.Where(planned => kept.Contains(planned.Number))] };
        }

        var planted = Array.IndexOf(arguments, "--bug");
        var seams = planted > 0 ? PlantedBugs.All.Single(bug => bug.Name == arguments[planted + 1]).Plant() : null;
        Console.Write(plan.Describe());
        Action<string>? onNote = arguments.Contains("--messages") ? Console.WriteLine : null;
        var verdict = SimRun.Run(plan, seams, onNote);
        if (onNote is null)
        {
            Console.WriteLine(string.Join('\n', verdict.Journal));
        }

        Console.WriteLine(VerdictText.Of(verdict));
        return verdict.IsClean ? 0 : 1;
    }

    private static SimPlan? PlanOf(string text) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out var seed) ? PlanDrawing.Draw(seed) : File.Exists(text) ? PlanText.Read(File.ReadAllText(text)) : null;
}
