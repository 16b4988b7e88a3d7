using Kv.Simulation.Bugs;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>The simulation sees what is wrong: here the bugs that show at once; `make sim-bugs` looks for all.</summary>
public sealed class PlantedBugTests
{
    private const int FewSeeds = 5;

    public static TheoryData<string> Plain() => [.. PlantedBugs.All.Where(bug => bug.WithinSeeds <= FewSeeds).Select(bug => bug.Name)];

    [Theory, MemberData(nameof(Plain))]
    public void PlainBug_IsFoundWithinItsSeeds(string name) => Assert.NotNull(PlantedBugs.All.Single(bug => bug.Name == name).Find());

    [Fact]
    public void Bug_IsNotFoundByASeedThatIsBrokenWithoutIt()
    {
        var bug = new PlantedBug("any", "anything", 3, () => new PlantedSeams());
        SimVerdict Run(SimPlan plan, SimSeams? seams) => Verdict(plan.Seed, isBroken: plan.Seed == 1 || seams is not null);

        Assert.Equal(2, bug.Find(Run)!.Seed);
        Assert.Null(bug.Find((plan, _) => Verdict(plan.Seed, isBroken: true)));
    }

    [Fact]
    public void Bugs_AreTwentyAtLeast_EachUnderItsOwnName()
    {
        Assert.InRange(PlantedBugs.All.Length, 20, int.MaxValue);
        Assert.Equal(PlantedBugs.All.Length, PlantedBugs.All.Select(bug => bug.Name).Distinct().Count());
        Assert.InRange(Plain().Count, 6, int.MaxValue);
    }

    private static SimVerdict Verdict(int seed, bool isBroken) => new()
    {
        Seed = seed,
        Violations = isBroken ? ["broken"] : [],
        Journal = [],
        TraceHash = 0,
        SimulatedTime = TimeSpan.Zero,
        Steps = 0,
        Faults = 0,
        Calls = 0,
        Acknowledged = 0,
    };
}
