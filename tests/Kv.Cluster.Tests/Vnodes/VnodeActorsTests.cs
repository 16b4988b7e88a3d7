using CsCheck;
using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

public sealed class VnodeActorsTests
{
    private static readonly NodeId Self = new(7);
    private static readonly PartitionId First = new(3);
    private static readonly PartitionId Second = new(4);

    /// <summary>The record of a clean stop whose highest epoch is the last there is, while the partitions are in the first.</summary>
    private static readonly byte[] UsedUp = [1, 1, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>What one step of a life does; crashes come at any moment in between.</summary>
    private enum Step
    {
        Give,
        GiveElsewhere,
        Forget,
        MeetTheFuture,
        StopClean,
        Crash,
    }

    [Fact]
    public void ADot_IsNeverGivenTwice_WhateverStopsCrashesAndDropsComeBetween() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Enum<Step>().Array[1, 40], Gen.Int[0, 6]).Sample(
            (seed, steps, crashAfter) =>
            {
                var scheduler = new SimScheduler(seed);
                var volume = new SimVolume(scheduler);
                var given = new HashSet<Dot>();
                scheduler.Run(() => LiveAsync(scheduler, volume, steps, crashAfter, given));
            },
            iter: 300);

    [Fact]
    public void ACleanStop_KeepsTheEpoch_AndAnUncleanOneTakesTheNext()
    {
        var scheduler = new SimScheduler(1);
        var volume = new SimVolume(scheduler);
        scheduler.Run(async () =>
        {
            var actors = await OpenAsync(scheduler, volume);
            Assert.Equal(new Dot(new ActorId(Self, First, 1), 1), actors.Next(First));
            await actors.CloseAsync(CancellationToken.None);
            actors = await OpenAsync(scheduler, volume);
            Assert.Equal(new Dot(new ActorId(Self, First, 1), 2), actors.Next(First));
            actors = await OpenAsync(scheduler, volume);
            Assert.Equal(new Dot(new ActorId(Self, First, 2), 1), actors.Next(First));
        });
    }

    [Fact]
    public void ADroppedPartition_GoesOnAsANewActor_AcrossACleanStopToo()
    {
        var scheduler = new SimScheduler(1);
        var volume = new SimVolume(scheduler);
        scheduler.Run(async () =>
        {
            var actors = await OpenAsync(scheduler, volume);
            actors.Next(First);
            actors.Next(Second);
            actors.Forget(First);
            await actors.CloseAsync(CancellationToken.None);
            actors = await OpenAsync(scheduler, volume);
            Assert.True(actors.HasForgotten(First, VersionVector.Empty));
            Assert.False(actors.HasForgotten(Second, VersionVector.Empty));
            Assert.True(await actors.TryRaiseEpochAsync(First, VersionVector.Empty, CancellationToken.None));
            Assert.Equal(new Dot(new ActorId(Self, First, 2), 1), actors.Next(First));
            Assert.Equal(new Dot(new ActorId(Self, Second, 1), 2), actors.Next(Second));
        });
    }

    [Fact]
    public void AForgedContext_DoesNotUseUpTheEpochs()
    {
        var scheduler = new SimScheduler(1);
        scheduler.Run(async () =>
        {
            var actors = await OpenAsync(scheduler, new SimVolume(scheduler));
            var forged = VersionVector.Empty.Increment(new ActorId(Self, First, uint.MaxValue), 1, 0);
            Assert.False(actors.HasForgotten(First, forged));
        });
    }

    [Fact]
    public void ForgedContexts_OneAfterAnother_DoNotUseUpTheEpochs()
    {
        var scheduler = new SimScheduler(1);
        var volume = new SimVolume(scheduler);
        scheduler.Run(async () =>
        {
            var actors = await OpenAsync(scheduler, volume);
            for (var put = 0; put < 5000; put++)
            {
                var epoch = (uint)Math.Min(actors.Next(First).Actor.Epoch + 1_000_000L, uint.MaxValue);
                await GiveAsync(actors, First, VersionVector.Empty.Increment(new ActorId(Self, First, epoch), 1, 0), []);
            }

            actors = await OpenAsync(scheduler, volume);
            Assert.InRange(actors.Next(First).Actor.Epoch, 1u, int.MaxValue + 2u);
        });
    }

    [Fact]
    public void WithoutAnEpochLeft_NoneIsGiven_AndAnUncleanStartSaysSo()
    {
        var scheduler = new SimScheduler(1);
        var volume = new SimVolume(scheduler);
        scheduler.Run(async () =>
        {
            await volume.OpenState(scheduler.World).WriteAsync(VnodeActors.RecordName, UsedUp, CancellationToken.None);
            var actors = await OpenAsync(scheduler, volume);
            Assert.Equal(new Dot(new ActorId(Self, First, 1), 1), actors.Next(First));
            actors.Forget(First);
            Assert.False(await actors.TryRaiseEpochAsync(First, VersionVector.Empty, CancellationToken.None));
            Assert.True(actors.HasForgotten(First, VersionVector.Empty));
            var refusal = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(scheduler, volume));
            Assert.Contains("epochs are used up", refusal.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void AWriteThatNeedsAnEpoch_WhereNoneIsLeft_IsRefused_AndTheNodeGoesOn() => DataCluster.Run(25, 5, async cluster =>
    {
        var node = cluster.Primary(0);
        await node.StopAsync();
        await node.Volume.OpenState(cluster.Scheduler.World).WriteAsync(VnodeActors.RecordName, UsedUp, CancellationToken.None);
        await node.StartAsync(cluster.Document);
        cluster.Detect();
        var forgotten = VersionVector.Empty.Increment(new ActorId(node.Id, cluster.Partition(0), 1), 5, 0);
        Assert.Contains("epochs", Assert.IsType<KvError.NotReady>(Story.Error(await node.AskAsync(Story.Put("v", forgotten)))).Detail, StringComparison.Ordinal);
        Assert.False(node.Host.Failed.IsCompleted);
        await cluster.Primary(1).StoreAsync("w");
        Assert.Equal(["w"], Story.Values(await node.AskAsync(Story.Get())));
    });

    [Fact]
    public void ADamagedRecord_RefusesToStart()
    {
        var scheduler = new SimScheduler(1);
        var volume = new SimVolume(scheduler);
        scheduler.Run(async () =>
        {
            await volume.OpenState(scheduler.World).WriteAsync("vnode-actors", new byte[] { 9, 0, 0 }, CancellationToken.None);
            var refusal = await Assert.ThrowsAsync<StoreException>(() => OpenAsync(scheduler, volume));
            Assert.Contains("format version 9", refusal.Message, StringComparison.Ordinal);
        });
    }

    private static async Task LiveAsync(SimScheduler scheduler, SimVolume volume, Step[] steps, int crashAfter, HashSet<Dot> given)
    {
        var rest = new Queue<Step>(steps);
        while (rest.Count > 0)
        {
            // Each life runs in a context of its own and is killed a few ticks into whatever it does when its crash comes.
            var life = scheduler.CreateContext("life");
            var ended = new TaskCompletionSource();
            _ = life.Enter(() => OneLifeAsync(volume, life, rest, given, ended));
            scheduler.World.After(TimeSpan.FromMilliseconds(crashAfter + scheduler.Random.Next(10)), () => ended.TrySetResult());
            await ended.Task;
            life.Kill();
        }
    }

    private static async Task OneLifeAsync(SimVolume volume, SimContext life, Queue<Step> rest, HashSet<Dot> given, TaskCompletionSource ended)
    {
        var actors = await VnodeActors.OpenAsync(volume.OpenState(life), Self, CancellationToken.None);
        while (rest.TryDequeue(out var step))
        {
            switch (step)
            {
                case Step.Give:
                    await GiveAsync(actors, First, VersionVector.Empty, given);
                    break;
                case Step.GiveElsewhere:
                    await GiveAsync(actors, Second, VersionVector.Empty, given);
                    break;
                case Step.Forget:
                    actors.Forget(First);
                    break;
                case Step.MeetTheFuture:
                    await GiveAsync(actors, First, VersionVector.Empty.Increment(new ActorId(Self, First, 50), 10, 0), given);
                    break;
                case Step.StopClean:
                    await actors.CloseAsync(CancellationToken.None);
                    ended.TrySetResult();
                    return;
                case Step.Crash:
                    ended.TrySetResult();
                    return;
            }
        }

        ended.TrySetResult();
    }

    private static async Task GiveAsync(VnodeActors actors, PartitionId partition, VersionVector seen, HashSet<Dot> given)
    {
        if (actors.HasForgotten(partition, seen))
        {
            Assert.True(await actors.TryRaiseEpochAsync(partition, seen, CancellationToken.None));
        }

        var dot = actors.Next(partition);
        Assert.True(given.Add(dot), $"{dot} was given before");
        Assert.False(seen.Covers(dot), $"{dot} is not new to {seen}");
    }

    private static async Task<VnodeActors> OpenAsync(SimScheduler scheduler, SimVolume volume) =>
        await VnodeActors.OpenAsync(volume.OpenState(scheduler.World), Self, CancellationToken.None);
}
