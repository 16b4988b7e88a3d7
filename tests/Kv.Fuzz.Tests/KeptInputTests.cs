using Kv.Fuzz.Running;
using Kv.Fuzz.Targets;
using Xunit;

namespace Kv.Fuzz.Tests;

/// <summary>What failed once does not fail again.</summary>
public sealed class KeptInputTests
{
    public static TheoryData<string> Names => [.. FailedInputs.Kept().Select(kept => kept.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Input_ThatFailedOnce_IsTakenOrRefused(string name)
    {
        using var target = FailedInputs.TargetOf(name, AllTargets.Create());
        Assert.Null(new InputTrial(target).Try(FailedInputs.Kept().Single(kept => kept.Name == name).Input));
    }
}
