using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Simulation.Tests;

/// <summary>A node that cannot write one of its facts ends; a full disk has a reserve for them.</summary>
public sealed class NodeStateTests
{
    [Theory]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    public void Node_ThatCannotWriteADocument_Ends(bool isFull, bool hasReserve, bool ends)
    {
        var scheduler = new SimScheduler(1);
        var cluster = new SimCluster(scheduler, nodes: 3);
        scheduler.Run(async () =>
        {
            foreach (var node in cluster.Nodes)
            {
                await node.StartAsync();
            }

            await cluster.FormAsync(3);
            var (admin, full) = (cluster.Nodes[0], cluster.Nodes[2]);
            (full.Volume.IsFull, full.Volume.HasReserve, full.Volume.FailSyncs) = (isFull, hasReserve, !isFull);
            await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", "{}", default));
            await cluster.DelayAsync(TimeSpan.FromSeconds(10));

            Assert.Equal(ends, full.Node.Failed.IsCompleted);
            Assert.False(admin.Node.Failed.IsCompleted);
            if (ends)
            {
                Assert.IsType<StoreException>(await full.Node.Failed);
            }
        });
    }
}
