using CsCheck;
using Kv.Chaos.Faults;
using Xunit;

namespace Kv.Chaos.Tests.Faults;

public sealed class FaultScheduleTests
{
    private static readonly FaultKind[] All = Enum.GetValues<FaultKind>();

    [Fact]
    public void SameSeed_SameFaults() => Gen.Int[0, int.MaxValue].Sample(seed =>
        Assert.Equal(FaultSchedule.Draw(seed, 600, 5, All).Select(Text), FaultSchedule.Draw(seed, 600, 5, All).Select(Text)));

    [Fact]
    public void EveryFault_IsWithinTheTime_OnNodesThatThereAre_EachOnce() => Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[30, 1200], Gen.Int[3, 9]).Sample((seed, seconds, nodes) =>
    {
        var faults = FaultSchedule.Draw(seed, seconds, nodes, All);
        Assert.All(faults, fault =>
        {
            Assert.InRange(fault.At, 0, seconds);
            Assert.InRange(fault.At + fault.Seconds, fault.At, seconds);
            Assert.All(fault.Ranks, rank => Assert.InRange(rank, 0, nodes - 1));
            Assert.Equal(fault.Ranks.Count, fault.Ranks.Distinct().Count());
        });
        Assert.Equal(faults.OrderBy(fault => fault.At), faults);
    });

    [Fact]
    public void TenMinutes_HoldEveryKind() => Gen.Int[0, int.MaxValue].Sample(seed =>
        Assert.Equal(All, FaultSchedule.Draw(seed, 600, 5, All).Select(fault => fault.Kind).Distinct().Order()));

    private static string Text(Fault fault) => FormattableString.Invariant($"{fault.Kind} {fault.At} {fault.Seconds} {string.Join(',', fault.Ranks)} {fault.Amount}");
}
