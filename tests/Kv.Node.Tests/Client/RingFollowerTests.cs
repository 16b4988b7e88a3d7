using Kv.Client;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>A client that is told rings goes on following them, whatever they say.</summary>
public sealed class RingFollowerTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("no address: at all")]
    public async Task AMemberWithoutAnAddress_EndsNoFollowing(string address)
    {
        await using var teller = await RingTeller.StartAsync((self, asked) => Ring(asked + 1, self.Endpoint, address), None);
        await using var client = await ConnectAsync(teller);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion >= 5), None);
    }

    [Fact]
    public async Task ARingThatCannotBeUsed_IsPassedOver_AndTheNextOneTaken()
    {
        await using var teller = await RingTeller.StartAsync(
            (self, asked) => asked == 1 ? Ring(asked + 1, "") : Ring(asked + 1, self.Endpoint), None);
        await using var client = await ConnectAsync(teller);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion >= 3), None);
    }

    [Fact]
    public async Task ARingWithoutAnyAddress_IsNotReady()
    {
        await using var teller = await RingTeller.StartAsync((_, asked) => Ring(asked + 1, "", ""), None);
        var failure = await Assert.ThrowsAsync<KvException>(() => ConnectAsync(teller, TimeSpan.FromSeconds(1)));
        Assert.Contains("no member has an address", failure.Message, StringComparison.Ordinal);
    }

    private static Task<KvClusterClient> ConnectAsync(RingTeller teller, TimeSpan? timeout = null) =>
        KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = [teller.Endpoint], Timeout = timeout ?? TimeSpan.FromSeconds(20) }, None);

    private static GetRingResponse Ring(long version, params string[] addresses)
    {
        var ring = new GetRingResponse { Version = version, ClusterName = "test" };
        ring.Nodes.AddRange(addresses.Select((address, i) => new RingNode { Name = $"node{i}", GrpcEndpoint = address, Up = true }));
        ring.Owners.AddRange(Enumerable.Range(0, 8).Select(partition => (uint)(partition % addresses.Length)));
        return ring;
    }
}
