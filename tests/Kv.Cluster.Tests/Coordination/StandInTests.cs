using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Who takes a write for replicas that are dead.</summary>
public sealed class StandInTests
{
    /// <summary>A write that two stand-ins acknowledged is gone with one disk where both are one node's. Whether the failure detector knows of the dead makes no difference.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Put_WithTwoDeadPrimaries_IsOnThreeNodes(bool isKnown) => DataCluster.Run(6, 5, async cluster =>
    {
        for (var i = 0; i < 16; i++)
        {
            var key = Story.Key($"k{i}");
            var (one, other) = (cluster.Primary(1, key), cluster.Primary(2, key));
            one.Kill();
            other.Kill();
            if (isKnown)
            {
                cluster.Detect();
            }

            var put = Story.Put("v", key: key) with { W = QuorumValue.All, Dw = QuorumValue.All };
            Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0, key).AskAsync(put));
            var holders = new List<Core.Rings.NodeId>();
            foreach (var node in cluster.Nodes.Where(node => node.IsUp))
            {
                foreach (var place in cluster.Primaries(key).Where(place => node.Host.Find(place.Partition) is not null))
                {
                    if (await cluster.HeldAsync(node.Id, place.Partition, key) is not null)
                    {
                        holders.Add(node.Id);
                    }
                }
            }

            Assert.Equal((3, 3), (holders.Count, holders.Distinct().Count()));
            await one.StartAsync(cluster.Document);
            await other.StartAsync(cluster.Document);
            cluster.Detect();
        }
    });
}
