using System.Globalization;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Commands;

/// <summary>
/// Runs seed after seed, each in one thread and as many side by side as there are processors, until the time is over or one fails; with `--with TEXT` those alone whose plan says that, or where it is there several times all of that.
/// </summary>
internal static class SwarmCommand
{
    private const string FailedDirectory = ".artifacts/failed";

    public static int Run(string[] arguments)
    {
        var minutes = Option(arguments, "--minutes") is { } given ? double.Parse(given, CultureInfo.InvariantCulture) : 1;
        var first = Option(arguments, "--first") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : Environment.TickCount & 0x3fffffff;
        var threads = Option(arguments, "--threads") is { } count ? int.Parse(count, CultureInfo.InvariantCulture) : Environment.ProcessorCount;
        var keepsGoing = arguments.Contains("--keep-going");
        Console.WriteLine(FormattableString.Invariant($"seeds from {first}, {minutes} minutes, {threads} threads"));
        var swarm = new Swarm(first, [.. arguments.Index().Where(given => given.Item == "--with").Select(given => arguments.ElementAtOrDefault(given.Index + 1) ?? "")], TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(minutes), keepsGoing);
        var running = Enumerable.Range(0, threads).Select(_ => new Thread(swarm.Run)).ToList();
        running.ForEach(thread => thread.Start());
        running.ForEach(thread => thread.Join());
        foreach (var failed in swarm.Failed.Take(1))
        {
            Directory.CreateDirectory(FailedDirectory);
            KeepCommand.Keep(failed, Path.Combine(FailedDirectory, FormattableString.Invariant($"seed-{failed.Seed}.plan")));
        }

        Console.WriteLine(swarm.Summary);
        return swarm.Failed.Count == 0 ? 0 : 1;
    }

    private static string? Option(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }

    private sealed class Swarm(int first, string[] with, DateTimeOffset end, bool keepsGoing)
    {
        // Guards everything below and the console.
        private readonly Lock gate = new();
        private int taken;
        private int seeds;
        private TimeSpan simulated;
        private long faults;
        private long calls;
        private long acknowledged;

        public List<SimVerdict> Failed { get; } = [];

        public string Summary => FormattableString.Invariant(
            $"{seeds} seeds run from {first}, {simulated.TotalHours:0.0} simulated hours, {faults} faults, {calls} operations, {acknowledged} acknowledged writes: {(Failed.Count == 0 ? "clean" : $"{Failed.Count} BROKEN")}");

        public void Run()
        {
            while (Take() is { } seed)
            {
                var plan = PlanDrawing.Draw(seed);
                var text = with.Length > 0 ? plan.Describe() : "";
                if (!with.All(part => text.Contains(part, StringComparison.Ordinal)))
                {
                    continue;
                }

                var verdict = SimRun.Run(plan);
                lock (gate)
                {
                    Count(verdict);
                }
            }
        }

        private int? Take()
        {
            lock (gate)
            {
                return TimeProvider.System.GetUtcNow() < end && (keepsGoing || Failed.Count == 0) ? first + taken++ : null;
            }
        }

        private void Count(SimVerdict verdict)
        {
            seeds++;
            simulated += verdict.SimulatedTime;
            faults += verdict.Faults;
            calls += verdict.Calls;
            acknowledged += verdict.Acknowledged;
            if (!verdict.IsClean)
            {
                Failed.Add(verdict);
                Console.WriteLine(VerdictText.Of(verdict));
            }
        }
    }
}
