using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Whose disk a put waits for.</summary>
public sealed class PutDurabilityTests
{
    [Fact]
    public void Put_WhoseOwnDiskHangs_IsNotAcknowledgedByTheOthersAlone() => DataCluster.Run(11, 5, async cluster =>
    {
        await cluster.Primary(0).StoreAsync("v");
        cluster.Primary(0).Volume.MostSyncTime = TimeSpan.FromHours(1);
        var put = Story.Put("w") with { Dw = QuorumValue.One, Timeout = TimeSpan.FromSeconds(2) };
        Assert.Equal(new KvError.Timeout(Indeterminate: true), Story.Error(await cluster.Primary(0).AskAsync(put)));
        Assert.Contains("w", Story.Values(await cluster.Primary(1).AskAsync(Story.Get())));
    });

    /// <summary>What waits in the vnode's mailbox is done one day, though its client was answered.</summary>
    [Fact]
    public void Put_ThatStillWaitsForItsTurn_IsInDoubt() => DataCluster.Run(11, 5, async cluster =>
    {
        var coordinator = cluster.Primary(0);
        coordinator.Volume.MostSyncTime = TimeSpan.FromHours(1);
        for (var turn = 0; turn <= cluster.Options.VnodeUnsyncedBatches; turn++)
        {
            var put = Story.Put($"v{turn}") with { Dw = QuorumValue.One, Timeout = TimeSpan.FromSeconds(2) };
            Assert.Equal(new KvError.Timeout(Indeterminate: true), Story.Error(await coordinator.AskAsync(put)));
        }
    });

    [Fact]
    public void Put_OfAMemoryBucket_WaitsForNoDisk() => DataCluster.Run(12, 5, async cluster =>
    {
        cluster.SetType("cache", BucketProps.NewType with { Durability = Durability.Memory });
        var key = Story.Key(type: "cache");
        foreach (var node in cluster.Nodes)
        {
            node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        }

        await cluster.Primary(0, key).StoreAsync("v", key: key);
    });

    /// <summary>Whose disk hangs for ever, and whether a write of a bucket that asks for no disk is acknowledged then.</summary>
    [Theory]
    [InlineData(SyncOnWrite.One, true, false)]
    [InlineData(SyncOnWrite.One, false, true)]
    [InlineData(SyncOnWrite.All, true, false)]
    [InlineData(SyncOnWrite.All, false, false)]
    public void Put_OfAMemoryBucketThatSyncsOnWrite_WaitsForTheDisksThatItNames(SyncOnWrite sync, bool isCoordinators, bool isStored) => DataCluster.Run(12, 5, async cluster =>
    {
        cluster.SetType("cache", BucketProps.NewType with { Durability = Durability.Memory, SyncOnWrite = sync });
        var key = Story.Key(type: "cache");
        var coordinator = cluster.Primary(0, key);
        foreach (var node in cluster.Nodes.Where(node => node == coordinator == isCoordinators))
        {
            node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        }

        var put = Story.Put("v", key: key) with { Dw = QuorumValue.Quorum, Timeout = TimeSpan.FromSeconds(2) };
        var outcome = await coordinator.AskAsync(put);
        Assert.Equal(isStored ? null : new KvError.Timeout(Indeterminate: true), (outcome as KvOutcome.Failed)?.Error);
    });

    /// <summary>Sent as it is, a write has no coordinator: each replica is who syncs it.</summary>
    [Fact]
    public void Put_AsIs_OfAMemoryBucketThatSyncsOnce_WaitsForEachDisk() => DataCluster.Run(12, 5, async cluster =>
    {
        cluster.SetType("cache", BucketProps.NewType with { Durability = Durability.Memory, SyncOnWrite = SyncOnWrite.One });
        foreach (var node in cluster.Nodes)
        {
            node.Volume.MostSyncTime = TimeSpan.FromHours(1);
        }

        var put = Story.Put("v", key: Story.Key(type: "cache")) with { AsIs = true, Timeout = TimeSpan.FromSeconds(2) };
        Assert.Equal(new KvError.Timeout(Indeterminate: true), Story.Error(await cluster.Nodes[0].AskAsync(put)));
    });
}
