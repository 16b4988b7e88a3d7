using System.Diagnostics;
using System.Globalization;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>The same seed goes the same way, in this process and in another.</summary>
public sealed class ReplayTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(48)]
    public void Seed_InTwoProcesses_GivesTheSameTraceByteForByte(int seed)
    {
        var trace = TraceOf(seed);
        Assert.Contains(FormattableString.Invariant($"seed {seed}:"), trace, StringComparison.Ordinal);
        Assert.Equal(trace, TraceOf(seed));
    }

    [Fact]
    public void Seeds_GoDifferentWays() => Assert.NotEqual(SimRun.Run(PlanDrawing.Draw(3)).TraceHash, SimRun.Run(PlanDrawing.Draw(4)).TraceHash);

    /// <summary>Every event and message, as another process tells it: one with other hashes of strings.</summary>
    private static string TraceOf(int seed)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Kv.Simulation");
        using var process = Process.Start(new ProcessStartInfo(program, ["run", seed.ToString(CultureInfo.InvariantCulture), "--messages"]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
