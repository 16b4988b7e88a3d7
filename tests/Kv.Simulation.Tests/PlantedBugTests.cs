using Kv.Simulation.Bugs;
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
    public void Bugs_AreTwentyAtLeast_EachUnderItsOwnName()
    {
        Assert.InRange(PlantedBugs.All.Length, 20, int.MaxValue);
        Assert.Equal(PlantedBugs.All.Length, PlantedBugs.All.Select(bug => bug.Name).Distinct().Count());
        Assert.InRange(Plain().Count, 6, int.MaxValue);
    }
}
