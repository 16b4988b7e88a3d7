using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>A plan goes to text and back as it was, and so does its run.</summary>
public sealed class PlanTextTests
{
    [Fact]
    public void Plan_GoesToTextAndBack() => Assert.All(Enumerable.Range(1, 100).Select(PlanDrawing.Draw), plan =>
    {
        var text = PlanText.Write(plan);
        var read = PlanText.Read("# what was found\n" + text);
        Assert.Equal(text, PlanText.Write(read));
        Assert.Equal(plan.Describe(), read.Describe());
        Assert.Equal(plan.Types, read.Types);
        Assert.Equal(plan.Events.OfType<ClientCall>(), read.Events.OfType<ClientCall>());
    });

    [Fact]
    public void Run_OfAPlanThatWasText_IsTheSame()
    {
        var plan = PlanDrawing.Draw(3);
        Assert.Equal(SimRun.Run(plan).TraceHash, SimRun.Run(PlanText.Read(PlanText.Write(plan))).TraceHash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Rot {}")]
    [InlineData("Plan")]
    public void WhatIsNoPlan_IsRefused(string text) => Assert.Throws<FormatException>(() => PlanText.Read(text));
}
