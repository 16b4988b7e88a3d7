using System.Diagnostics;
using System.Globalization;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>The same seed goes the same way, in this process and in others, however different the machine looks to them.</summary>
public sealed class ReplayTests
{
    /// <summary>Another language and time zone, one processor without vector instructions, another garbage collector, and code that is compiled otherwise.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["LC_ALL"] = "tr_TR.UTF-8",
        ["TZ"] = "Asia/Kathmandu",
        ["DOTNET_PROCESSOR_COUNT"] = "1",
        ["DOTNET_EnableHWIntrinsic"] = "0",
        ["DOTNET_gcServer"] = "1",
        ["DOTNET_GCgen0size"] = "0x40000",
        ["DOTNET_ReadyToRun"] = "0",
        ["DOTNET_TieredCompilation"] = "0",
    };

    [Theory]
    [InlineData(3)]
    [InlineData(48)]
    public void Seed_InTwoProcesses_GivesTheSameTraceByteForByte(int seed)
    {
        var trace = TraceOf(seed, []);
        Assert.Contains(FormattableString.Invariant($"seed {seed}:"), trace, StringComparison.Ordinal);
        Assert.Equal(trace, TraceOf(seed, Elsewhere));
    }

    [Fact]
    public void Seeds_GoDifferentWays() => Assert.NotEqual(SimRun.Run(PlanDrawing.Draw(3)).TraceHash, SimRun.Run(PlanDrawing.Draw(4)).TraceHash);

    /// <summary>Every event and message, as another process tells it: one with other hashes of strings, as each has.</summary>
    private static string TraceOf(int seed, Dictionary<string, string> environment)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Kv.Simulation");
        var start = new ProcessStartInfo(program, ["run", seed.ToString(CultureInfo.InvariantCulture), "--messages"]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}
