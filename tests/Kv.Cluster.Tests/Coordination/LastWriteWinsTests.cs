using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class LastWriteWinsTests
{
    [Fact]
    public void ALastWriteWinsPut_AfterOneOfAClockThatRanAhead_IsTheLastAllTheSame() => SimCluster.Run(21, 4, async cluster =>
    {
        await cluster.FormAsync(4);
        var admin = cluster.Nodes[3];
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("lww", """{"last_write_wins":true,"dvv_enabled":false}""", default)));
        await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType("lww").Value!.MissingOn.IsEmpty, 20, "the type is ready");
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("lww", default)));
        await cluster.SettleAsync();
        var key = Story.Key(type: "lww");
        var owners = PreferenceList.Primaries(cluster.Document.Ring, RingHash.FirstPartition(key, BucketProps.NewType.ChashKeyFun, cluster.Document.Ring.Size), 3)
            .Select(entry => (Node: cluster.Nodes.Single(node => node.Id == entry.Node), entry.Partition))
            .ToArray();
        owners[0].Node.Clock.Jump(TimeSpan.FromSeconds(10));
        foreach (var (owner, value) in owners.Zip(["of a clock that runs ahead", "later", "latest"]))
        {
            Assert.IsType<KvOutcome.Stored>(await owner.Node.AskAsync(Story.Put(value, key: key) with { W = QuorumValue.All }));
        }

        Assert.All(owners, owner => Assert.Equal(["latest"], Story.Values(ObjectCodec.Decode(owner.Node.Volume.Contents(owner.Partition)[key.Encoded.ToArray()]))));
    });
}
