using Kv.Cluster.Reaping;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

public sealed class InspectionsTests
{
    private static readonly NodeId Reaper = new(1);

    [Fact]
    public void AChange_DisturbsEveryInspectionOfItsKey_AndNoOther() => Run(inspections =>
    {
        var (one, two, other) = (Of("k"), Of("k"), Of("other"));
        Assert.True(inspections.TryBegin(Reaper, 1, [one, null], 1));
        Assert.True(inspections.TryBegin(Reaper, 2, [other, two], 1));
        inspections.Disturb("k"u8.ToArray());
        Assert.False(one.TrySeal());
        Assert.False(two.TrySeal());
        Assert.True(other.TrySeal());
        Assert.Equal(3, inspections.Count);
        return Task.CompletedTask;
    });

    [Fact]
    public void OneThatIsSealed_CannotBeDisturbedAnyMore_AndOneThatIsForgotten_NotSealed() => Run(inspections =>
    {
        var (first, second) = (Of("k"), Of("k"));
        Assert.True(inspections.TryBegin(Reaper, 1, [first], 1));
        Assert.True(inspections.TryBegin(Reaper, 2, [second], 1));
        Assert.True(first.TrySeal());
        inspections.Forget(Reaper, 2);
        Assert.False(second.TrySeal());
        Assert.Null(inspections.Find(Reaper, 2));
        Assert.NotNull(inspections.Find(Reaper, 1));
        inspections.Forget(Reaper, 1);
        Assert.Equal(0, inspections.Count);
        return Task.CompletedTask;
    });

    [Fact]
    public void TooManyKeys_OrAnAttemptTwice_AreRefused_AndASilentReaperIsForgotten() => Run(
        async (inspections, wait) =>
        {
            Assert.True(inspections.TryBegin(Reaper, 1, [Of("a"), Of("b")], 1));
            Assert.False(inspections.TryBegin(Reaper, 1, [Of("c")], 1));
            Assert.False(inspections.TryBegin(Reaper, 2, [Of("c"), Of("d")], 1));
            await wait(TimeSpan.FromSeconds(31));
            Assert.Null(inspections.Find(Reaper, 1));
            Assert.True(inspections.TryBegin(Reaper, 2, [Of("c"), Of("d"), Of("e")], 1));
            Assert.Equal(3, inspections.Count);
        });

    private static Inspection Of(string key) => new(System.Text.Encoding.UTF8.GetBytes(key), [new PartitionId(0)]);

    private static void Run(Func<Inspections, Task> story) => Run((inspections, _) => story(inspections));

    private static void Run(Func<Inspections, Func<TimeSpan, Task>, Task> story)
    {
        var scheduler = new SimScheduler(1);
        var inspections = new Inspections(new ClusterOptions { MaxInspections = 3 }, scheduler.World.Time);
        scheduler.Run(() => story(inspections, time => Task.Delay(time, scheduler.World.Time)));
    }
}
