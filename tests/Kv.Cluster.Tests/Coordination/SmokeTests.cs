using System.Text;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class SmokeTests
{
    [Fact]
    public void Put_ThenGetElsewhere_Finds() => DataCluster.Run(1, 5, async cluster =>
    {
        var key = new ObjectKey("siblings", "b", "k");
        var put = await cluster.Nodes[0].AskAsync(new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = Encoding.UTF8.GetBytes("v") } });
        Assert.IsType<KvOutcome.Stored>(put);
        foreach (var node in cluster.Nodes)
        {
            var found = Assert.IsType<KvOutcome.Found>(await node.AskAsync(new KvRequest.Get { Key = key }));
            Assert.Equal("v", Encoding.UTF8.GetString(found.Object.Siblings[0].Value.Span));
        }
    });
}
