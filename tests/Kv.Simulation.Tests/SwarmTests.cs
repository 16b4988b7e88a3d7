using System.Globalization;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>Whole clusters under everything that a seed draws: a few new seeds each time, and every one that ever failed.</summary>
public sealed class SwarmTests
{
    private const int NewSeeds = 10;

    /// <summary>New ones each time; KV_SIM_SEED names the first.</summary>
    public static TheoryData<int> Seeds()
    {
        var first = int.TryParse(Environment.GetEnvironmentVariable("KV_SIM_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() % 100_000_000) * 10;
        Console.WriteLine(FormattableString.Invariant($"   Simulation: {NewSeeds} new seeds from {first}, and {FailedPlans.All.Count} plans and {FailedSeeds.All.Length} seeds that failed once"));
        return [.. Enumerable.Range(first, NewSeeds)];
    }

    public static TheoryData<int> OnceFailed() => [.. FailedSeeds.All];

    public static TheoryData<string> Kept() => [.. FailedPlans.All.Keys];

    [Theory, MemberData(nameof(Seeds))]
    public void NewSeed_BreaksNoPromise(int seed) => AssertClean(seed);

    [Theory, MemberData(nameof(OnceFailed))]
    public void SeedThatFailedOnce_BreaksNoPromise(int seed) => AssertClean(seed);

    [Theory, MemberData(nameof(Kept))]
    public void PlanThatFailedOnce_BreaksNoPromise(string name) => AssertClean(PlanText.Read(FailedPlans.All[name]), $"PLAN=tests/Kv.Simulation/Failed/{name}.plan");

    private static void AssertClean(int seed) => AssertClean(PlanDrawing.Draw(seed), $"SEED={seed}");

    private static void AssertClean(SimPlan plan, string which)
    {
        var verdict = SimRun.Run(plan);
        Assert.True(verdict.IsClean, $"make sim {which}:\n{string.Join('\n', verdict.Violations)}");
    }
}
