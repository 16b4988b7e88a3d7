using Kv.Cluster.Membership;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>Who is taken for up, and when.</summary>
public sealed class NodeWatcherTests
{
    [Fact]
    public void Peer_WhoseConnectionFails_IsDownAtTheNextMessage() => SimCluster.Run(1, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        cluster.Nodes[2].Kill();
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));

        Assert.False(Sees(cluster, 0, 2));
        Assert.True(Sees(cluster, 0, 1));
    });

    [Fact]
    public void Peer_ThatFallsSilent_IsDownAfterItsTime() => SimCluster.Run(2, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        cluster.Network.Cut(cluster.Nodes[0].Id, cluster.Nodes[2].Id);
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        Assert.True(Sees(cluster, 0, 2));

        await cluster.DelayAsync(TimeSpan.FromSeconds(4));
        Assert.False(Sees(cluster, 0, 2));
        Assert.True(Sees(cluster, 1, 2));
    });

    [Fact]
    public void Peer_ThatIsHeardButCannotBeReached_IsDown() => SimCluster.Run(3, 2, async cluster =>
    {
        await cluster.FormAsync(2);
        cluster.Network.Drop = (from, _, _) => from == cluster.Nodes[0].Id;
        await cluster.DelayAsync(TimeSpan.FromSeconds(10));

        Assert.False(Sees(cluster, 0, 1));
    });

    [Fact]
    public void Peer_ThatFlaps_HasToAnswerLongerEachTime() => SimCluster.Run(4, 2, async cluster =>
    {
        await cluster.FormAsync(2);
        var first = await TimeToComeBackAsync(cluster);
        var second = await TimeToComeBackAsync(cluster);
        var third = await TimeToComeBackAsync(cluster);
        Assert.True(first < second && second < third, $"{first} {second} {third}");

        await cluster.DelayAsync(TimeSpan.FromMinutes(2));
        Assert.True(await TimeToComeBackAsync(cluster) < second);
    });

    [Fact]
    public void Start_DoesNotWaitForSilentMembersForEver_AndKnowsTheLivingAtOnce() => SimCluster.Run(5, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        cluster.Nodes[0].Kill();
        cluster.Nodes[2].Kill();
        var began = cluster.Scheduler.Now;
        await cluster.Nodes[0].StartAsync();

        Assert.True(Sees(cluster, 0, 1));
        Assert.False(Sees(cluster, 0, 2));
        Assert.True(cluster.Scheduler.Now - began < TimeSpan.FromSeconds(5).Ticks);
    });

    /// <summary>What the operator's gate takes for settled: it is told by who sees, by its own clock, and not by how long the peer has run.</summary>
    [Fact]
    public void Peer_IsToldWithHowLongItHasBeenSeenUp_AnewAfterItWasCutOff() => SimCluster.Run(6, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        await cluster.DelayAsync(TimeSpan.FromSeconds(60));
        Assert.InRange(View(cluster, 0, 2).InState, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(10));

        cluster.Network.Cut(cluster.Nodes[0].Id, cluster.Nodes[2].Id);
        await cluster.UntilAsync(() => !View(cluster, 0, 2).IsUp, 20, "the peer is down");
        await cluster.DelayAsync(TimeSpan.FromSeconds(20));
        cluster.Network.HealAll();
        await cluster.UntilAsync(() => View(cluster, 0, 2).IsUp, 30, "the peer is up again");
        Assert.InRange(View(cluster, 0, 2).InState, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.InRange(View(cluster, 1, 2).InState, TimeSpan.FromSeconds(80), TimeSpan.FromMinutes(10));

        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.InRange(View(cluster, 0, 2).InState, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(17));
    });

    private static PeerView View(SimCluster cluster, int from, int to) => cluster.Nodes[from].Node.Admin.GetPeers().Single(view => view.Node == cluster.Nodes[to].Id);

    private static bool Sees(SimCluster cluster, int from, int to) => cluster.Nodes[from].Node.State.Current.IsUp(cluster.Nodes[to].Id);

    /// <summary>Breaks one connection, and counts the time until the peer is taken for up again.</summary>
    private static async Task<long> TimeToComeBackAsync(SimCluster cluster)
    {
        var broken = false;
        cluster.Network.Options = new SimNetworkOptions { RequestLoss = 1 };
        await cluster.UntilAsync(() => broken = !Sees(cluster, 0, 1), 10, "the peer is down");
        cluster.Network.Options = new SimNetworkOptions();
        var began = cluster.Scheduler.Now;
        await cluster.UntilAsync(() => Sees(cluster, 0, 1), 30, "the peer is up again");
        Assert.True(broken);
        return cluster.Scheduler.Now - began;
    }
}
