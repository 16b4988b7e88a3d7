using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

public sealed class FencesTests
{
    private static readonly NodeId Self = new(1);
    private static readonly NodeId Peer = new(2);
    private static readonly PartitionId First = new(0);
    private static readonly PartitionId Second = new(1);

    [Fact]
    public void EachStart_IsANewFence_AndVoidsTheOlder() => Run(async files =>
    {
        var before = await OpenAsync(files);
        var after = await OpenAsync(files);
        Assert.Equal(new Fence(1, 1), before.Own);
        Assert.Equal(new Fence(2, 1), after.Own);
        Assert.True(after.Admits(First, after.Own));
        Assert.False(after.Admits(First, before.Own));
        Assert.False(after.Admits(First, default));
    });

    [Fact]
    public void ASeal_RefusesWhatIsOlder_OfItsPartitionsOnly() => Run(async files =>
    {
        var fences = await OpenAsync(files);
        var older = fences.Own;
        fences.Seal([First]);
        Assert.False(fences.Admits(First, older));
        Assert.True(fences.Admits(Second, older));
        Assert.True(fences.Admits(First, fences.Own));
    });

    [Fact]
    public void NothingIsTaken_ByANodeThatIsNoMember_NorWhatWasReadBeforeItBecameOne() => Run(async files =>
    {
        var fences = new Fences(Self);
        await fences.OpenAsync(files, CancellationToken.None);
        var early = fences.Own;
        Assert.False(fences.Admits(First, early));
        fences.SetMember(true);
        Assert.False(fences.Admits(First, early));
        Assert.True(fences.Admits(First, fences.Own));
        var member = fences.Own;
        fences.SetMember(true);
        Assert.Equal(member, fences.Own);
        fences.SetMember(false);
        Assert.False(fences.Admits(First, member));
    });

    [Fact]
    public void OfAPeersFences_TheNewestOfOneStartCounts_AndTheOneHeardLastOfTwo() => Run(async files =>
    {
        var fences = await OpenAsync(files);
        var planned = fences.Known;
        fences.Saw(Peer, new Fence(4, 7));
        fences.Saw(Peer, new Fence(4, 6));
        fences.Saw(Peer, default);
        Assert.Equal(new Fence(4, 7), fences.Known.Of(Peer));
        fences.Saw(Peer, new Fence(3, 1));
        Assert.Equal(new Fence(3, 1), fences.Known.Of(Peer));
        Assert.Equal(default, planned.Of(Peer));
        fences.Saw(Self, new Fence(9, 9));
        Assert.Equal(fences.Own, fences.Known.Of(Self));
    });

    [Theory]
    [InlineData("0201000000")]
    [InlineData("01010000")]
    [InlineData("")]
    public void ARecordThatCannotBeRead_IsNoBeginning(string hex) => Run(async files =>
    {
        await files.WriteAsync("starts", Convert.FromHexString(hex), CancellationToken.None);
        var refusal = await Assert.ThrowsAsync<StoreException>(async () => await OpenAsync(files));
        Assert.Contains($"{hex.Length / 2} bytes and format version {(hex.Length == 0 ? 0 : hex[1] - '0')}", refusal.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void TheRecord_HasTheBytesOfItsLayout() => Run(async files =>
    {
        await OpenAsync(files);
        await OpenAsync(files);
        Assert.Equal("0102000000", Convert.ToHexStringLower((await files.ReadAsync("starts", CancellationToken.None))!.Value.Span));
    });

    private static async Task<Fences> OpenAsync(INodeState files)
    {
        var fences = new Fences(Self);
        await fences.OpenAsync(files, CancellationToken.None);
        fences.SetMember(true);
        return fences;
    }

    private static void Run(Func<INodeState, Task> story)
    {
        var scheduler = new SimScheduler(1);
        scheduler.Run(() => story(new SimVolume(scheduler).OpenState(scheduler.World)));
    }
}
