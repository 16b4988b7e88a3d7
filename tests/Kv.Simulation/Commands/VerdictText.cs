using Kv.Simulation.Running;

namespace Kv.Simulation.Commands;

/// <summary>A verdict as a run prints it.</summary>
internal static class VerdictText
{
    public static string Of(SimVerdict verdict)
    {
        var lines = verdict.Violations.Select(violation => $"BROKEN: {violation}").Append(FormattableString.Invariant(
            $"seed {verdict.Seed}: {(verdict.IsClean ? "clean" : "BROKEN")}; {verdict.SimulatedTime.TotalSeconds:0} s simulated, {verdict.Steps} steps, {verdict.Faults} faults, {verdict.Calls} calls, {verdict.Acknowledged} writes acknowledged, trace {verdict.TraceHash:x16}"));
        return string.Join('\n', lines);
    }
}
