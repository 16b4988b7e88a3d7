using Kv.Fuzz.Running;
using Kv.Fuzz.Targets;
using Xunit;

namespace Kv.Fuzz.Tests;

public sealed class TargetTests
{
    public static TheoryData<string> Names => [.. AllTargets.Create().Select(target => target.Name)];

    /// <summary>Without word of branches, which decoders give in the program alone: what mutation makes of the seeds.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Target_TakesOrRefuses_SeedsAndWhatBecomesOfThem(string name)
    {
        using var target = AllTargets.Create().Single(target => target.Name == name);
        using var watch = new HangWatch(input => Environment.FailFast($"{name} hangs: {Convert.ToHexStringLower(input)}"));
        var verdict = new FuzzRun(target, seed: 1, watch).For(TimeSpan.MaxValue, mostInputs: 1000);
        Assert.True(verdict.Failure is null, $"seed 1, input {Convert.ToHexStringLower(verdict.Input ?? [])}: {verdict.Failure}");
        Assert.Equal(target.Seeds.Count(), verdict.Kept);
    }

    [Fact]
    public void Names_AreEachOnce() => Assert.Equal(AllTargets.Create().Count, AllTargets.Create().Select(target => target.Name).Distinct().Count());
}
