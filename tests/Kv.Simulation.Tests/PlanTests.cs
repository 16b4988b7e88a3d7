using Kv.Simulation.Bugs;
using Kv.Simulation.Plans;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>What seeds draw: everything that there is, and nothing that no cluster could bear.</summary>
public sealed class PlanTests
{
    private static readonly SimPlan[] Plans = [.. Enumerable.Range(1, 400).Select(PlanDrawing.Draw)];

    [Fact]
    public void Seeds_DrawEveryKindOfEvent()
    {
        var kinds = typeof(PlannedEvent).Assembly.GetTypes().Where(type => !type.IsAbstract && type.IsAssignableTo(typeof(PlannedEvent)));
        var drawn = Plans.SelectMany(plan => plan.Events).Select(planned => planned.GetType()).ToHashSet();
        Assert.Empty(kinds.Where(kind => !drawn.Contains(kind)).Select(kind => kind.Name));
    }

    [Fact]
    public void Seeds_DrawEveryRuleAndVerb()
    {
        Assert.Equal(Enum.GetValues<BucketRule>(), Plans.SelectMany(plan => plan.Types).Select(type => type.Rule).Distinct().Order());
        Assert.Equal(Enum.GetValues<ClientVerb>(), Plans.SelectMany(plan => plan.Events).OfType<ClientCall>().Select(call => call.Verb).Distinct().Order());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], Plans.Select(plan => plan.Members).Distinct().Order());
    }

    [Fact]
    public void Seeds_DrawEveryOptionOfARequest()
    {
        var calls = Plans.SelectMany(plan => plan.Events).OfType<ClientCall>().ToList();
        var never = typeof(ClientCall).GetProperties().Where(option => calls.Select(option.GetValue).Distinct().Take(2).Count() < 2);
        Assert.Empty(never.Select(option => option.Name));
    }

    [Fact]
    public void Leave_IsFollowedByAnExitThatSomebodyConfirms() => Assert.All(Plans, plan => Assert.All(
        plan.Events.OfType<AdminCall.Leave>(),
        leave => Assert.Contains(plan.Events.OfType<AdminCall.ConfirmExit>(), exit => exit.Node == leave.Node && exit.At >= leave.At)));

    [Fact]
    public void Plan_LosesNoMoreThanItsWritesAreConfirmedBy()
    {
        Assert.All(Plans, plan => Assert.All(plan.Types, type => Assert.True(type.NodeConfirms <= Math.Min(plan.Members, type.NVal))));
        Assert.All(Plans.Where(plan => plan.Losses > 0), plan => Assert.Contains(plan.Types, type => type.IsSynced && type.NodeConfirms == plan.LostCopies + 1));
        Assert.All(Plans.Where(plan => plan.Losses > 0), plan => Assert.All(plan.Types, type => Assert.True(type.NVal > plan.LostCopies)));
        Assert.All(Plans.Where(plan => plan is { Losses: > 0, Moves: false, Members: > 3 }), plan => Assert.All(plan.Types, type => Assert.Equal(plan.Losses + 1, type.NodeConfirms)));
        Assert.All(Plans, plan => Assert.All(GivenUp(plan), dead => Assert.Contains(dead, plan.Events.OfType<Fault>().Select(fault => fault.Loses))));
        Assert.All(Plans.Where(plan => plan.Losses != 1 || plan.Moves || plan.Members == 3), plan => Assert.Empty(plan.Events.OfType<AdminCall.Remove>()));
        Assert.All(Plans, plan => Assert.Equal(plan.Losses, plan.Events.OfType<Fault>().Select(fault => fault.Loses).OfType<int>().Distinct().Count()));
    }

    [Fact]
    public void Seeds_LoseDataWhilePartitionsMoveAndOfThreeNodes_AndLetAVoterRestartBetweenTwoAdministrators()
    {
        Assert.Contains(Plans, plan => plan is { Losses: 1, Moves: true } && plan.Events.Any(planned => planned is Fault.LoseVolume) && plan.Events.Any(planned => planned is AdminCall.Replace));
        Assert.Contains(Plans, plan => plan is { Losses: 1, Moves: false, Members: 3 });
        Assert.Contains(Plans, PlantedBugs.All.Single(bug => bug.Name == "forgetful-acceptor").MayShow.Invoke);
    }

    private static IEnumerable<int?> GivenUp(SimPlan plan) =>
        [.. plan.Events.OfType<AdminCall.Remove>().Select(call => (int?)call.Dead), .. plan.Events.OfType<AdminCall.Replace>().Select(call => (int?)call.Dead)];
}
