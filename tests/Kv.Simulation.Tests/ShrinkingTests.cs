using Kv.Simulation.Commands;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.Simulation.Shrinking;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>A failing plan is made as short as it gets.</summary>
public sealed class ShrinkingTests
{
    [Fact]
    public void Plan_ThatNeedsTwoEvents_IsShrunkToThose()
    {
        var plan = PlanDrawing.Draw(3);
        int[] needed = [plan.Events[plan.Events.Length / 3].Number, plan.Events[plan.Events.Length / 2].Number];
        SimVerdict Run(SimPlan candidate) => Verdict(needed.All(number => candidate.Events.Any(planned => planned.Number == number)));

        var (shortest, verdict) = new PlanShrinking(Run, mostTries: 2000).Shrink(plan, Verdict(isBroken: true));

        Assert.Equal(needed.Order(), shortest.Events.Select(planned => planned.Number).Order());
        Assert.False(verdict.IsClean);
    }

    [Fact]
    public void Plan_IsShrunkWithinItsTries()
    {
        var runs = 0;
        var plan = PlanDrawing.Draw(3);
        SimVerdict Run(SimPlan candidate)
        {
            runs++;
            return Verdict(isBroken: false);
        }

        Assert.Equal(plan, new PlanShrinking(Run, mostTries: 25).Shrink(plan, Verdict(isBroken: true)).Plan);
        Assert.Equal(25, runs);
    }

    [Theory]
    [InlineData("3,7-9", new[] { 3, 7, 8, 9 })]
    [InlineData("", new int[0])]
    public void Numbers_GoToTextAndBack(string text, int[] numbers)
    {
        Assert.Equal(numbers, NumberRanges.Parse(text).Order());
        Assert.Equal(text, NumberRanges.Format(numbers));
    }

    private static SimVerdict Verdict(bool isBroken) => new()
    {
        Seed = 3,
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
