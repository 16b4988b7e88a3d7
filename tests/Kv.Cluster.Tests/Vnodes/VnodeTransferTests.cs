using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Cluster.Vnodes;
using Kv.Core.Causality;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

/// <summary>What a vnode answers of writes that were on their way to a transfer's target when the transfer ended.</summary>
public sealed class VnodeTransferTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AWriteUnderWayThatTheTargetMisses_Fails_WhereTheTargetIsTheOwnerNow(bool isOwner) => DataCluster.Run(31, 5, async cluster =>
    {
        var (node, target) = (cluster.Primary(0), cluster.Outsider());
        var vnode = await node.Context.Enter(() => node.Host.OpenAsync(cluster.Partition(0), CancellationToken.None));
        var transfer = (await node.Context.CallAsync(() => vnode.BeginTransferAsync(target.Id, CancellationToken.None)))!;
        Assert.True(transfer.TryMarkCompleting());
        cluster.Network.Hold = (_, _, request) => request is PeerRequest.VnodePut { Kind: VnodePutKind.Handoff } ? TimeSpan.FromSeconds(10) : TimeSpan.Zero;
        var write = node.Context.Enter(() => WriteAsync(cluster, vnode, "first"));
        await cluster.WaitAsync(0.1);
        if (isOwner)
        {
            transfer.StandIn();
        }
        else
        {
            transfer.End();
        }

        Assert.IsType<PeerReply.Done>((await node.Context.Enter(() => WriteAsync(cluster, vnode, "later"))).Reply);
        Assert.False(write.IsCompleted);
        await cluster.WaitAsync(6);
        Assert.Equal(isOwner, (await write).Reply is PeerReply.Refused { Reason: VnodeRefusals.TransferTargetFailed });
        Assert.Equal(!isOwner, (await write).Reply is PeerReply.Done);
        Assert.True(transfer is { HasMissed: true, IsEnded: true });
    });

    private static async Task<VnodeReply> WriteAsync(DataCluster cluster, Vnode vnode, string key) =>
        await vnode.CoordinateAsync(Story.Key(key).Encoded, Story.Value("v"), VersionVector.Empty, cluster.Props(), null);
}
