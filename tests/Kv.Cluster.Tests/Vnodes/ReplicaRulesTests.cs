using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

public sealed class ReplicaRulesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnObjectWhoseClockAloneCanBeRead_IsRefused(bool isNewer) => DataCluster.Run(26, 5, async cluster =>
    {
        var (node, partition) = (cluster.Primary(0), cluster.Partition(0));
        var vnode = await node.Context.Enter(() => node.Host.OpenAsync(partition, CancellationToken.None));
        var whole = await StoredAsync(cluster, "kept", VersionVector.Empty);
        var newer = await StoredAsync(cluster, "newer", ObjectCodec.PeekClock(whole.Span)!);
        if (isNewer)
        {
            Assert.IsType<PeerReply.Done>((await node.Context.Enter(() => MergeAsync(cluster, vnode, whole))).Reply);
        }

        var torn = newer[..^1];
        Assert.IsType<PeerReply.Refused>((await node.Context.Enter(() => MergeAsync(cluster, vnode, torn))).Reply);
        StoredEntry[] batch = [new(Story.Key().Encoded, torn)];
        Assert.IsType<PeerReply.Refused>(await node.Context.CallAsync(() => vnode.MergeBatchAsync(batch, node.Fences.Own, CancellationToken.None)));
        var held = await cluster.HeldAsync(node.Id, vnode.Partition, Story.Key());
        Assert.Equal(isNewer ? ["kept"] : null, held is null ? null : Story.Values(held));
    });

    private static async Task<VnodeReply> MergeAsync(DataCluster cluster, Vnode vnode, ReadOnlyMemory<byte> stored) =>
        await vnode.MergeAsync(Story.Key().Encoded, stored, cluster.Primary(0).Fences.Own, Durability.Synced, cluster.Props());

    /// <summary>An object as another vnode made it.</summary>
    private static async Task<ReadOnlyMemory<byte>> StoredAsync(DataCluster cluster, string value, VersionVector seen)
    {
        var maker = cluster.Primary(1);
        var vnode = await maker.Context.Enter(() => maker.Host.OpenAsync(cluster.Partition(1), CancellationToken.None));
        var reply = await maker.Context.CallAsync(() => vnode.CoordinateAsync(
            Story.Key($"made of {value}").Encoded, Story.Value(value), seen, cluster.Props(), null));
        return reply.Stored;
    }
}
