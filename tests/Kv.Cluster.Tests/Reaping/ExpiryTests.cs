using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Reaping;

/// <summary>Objects whose `ttl` is over: not served, gone from every disk, and brought back by nobody.</summary>
public sealed class ExpiryTests
{
    private const string Type = "sessions";
    private const int Keys = 20;
    private static readonly ClusterOptions Options = new() { RequestTimeout = TimeSpan.FromSeconds(5), ExchangeInterval = TimeSpan.FromSeconds(5), ExpirySweepInterval = TimeSpan.FromSeconds(30) };

    [Fact]
    public void AnObjectWhoseTimeIsOver_IsNotFound_NorListed_AndAWriteReplacesIt() => Run(1, Options with { ExpirySweepInterval = TimeSpan.FromDays(30) }, async cluster =>
    {
        var node = cluster.Nodes[0];
        await PutAllAsync(node, "old");
        await cluster.DelayAsync(TimeSpan.FromSeconds(50));
        await PutAsync(node, 0, "new");
        Assert.Equal(["new", "old"], Values(await GetAsync(node, 0)));
        await cluster.DelayAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(["new"], Values(await GetAsync(node, 0)));
        Assert.Null(Assert.IsType<KvOutcome.NotFound>(await GetAsync(node, 1)).TombstoneContext);
        Assert.IsType<KvOutcome.NotFound>(await cluster.Nodes[2].AskAsync(new KvRequest.Get { Key = KeyOf(1), HeadOnly = true }));
        Assert.Equal(["k0"], await ListAsync(cluster.Nodes[1]));

        // Nobody saw the old value: what is written without its context is no sibling of it.
        await PutAsync(cluster.Nodes[1], 1, "again");
        Assert.Equal(["again"], Values(await GetAsync(node, 1)));
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = KeyOf(2), Content = ContentOf("first"), IfNoneMatch = true }));
    });

    [Fact]
    public void AnObjectOfWhichAPartIsOver_IsNotUnchanged() => Run(7, Options with { ExpirySweepInterval = TimeSpan.FromDays(30) }, async cluster =>
    {
        var node = cluster.Nodes[0];
        await PutAsync(node, 0, "old");
        await cluster.DelayAsync(TimeSpan.FromSeconds(50));
        await PutAsync(node, 0, "new");
        var seen = Assert.IsType<KvOutcome.Found>(await GetAsync(node, 0)).Object.Clock;
        var again = new KvRequest.Get { Key = KeyOf(0), R = QuorumValue.All, IfModified = seen };
        Assert.IsType<KvOutcome.Unchanged>(await node.AskAsync(again));
        await cluster.DelayAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(["new"], Values(await node.AskAsync(again)));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheirRoomComesBack_OnEveryReplica(bool aae) => Run(2, Options, async cluster =>
    {
        await PutAllAsync(cluster.Nodes[0], "v");
        Assert.Equal(3 * Keys, Held(cluster));
        await cluster.UntilAsync(() => Held(cluster) == 0, 300, "nothing is left on any disk");
    }, aae);

    /// <summary>While a fold is open nothing before it is compacted, and there is no saying how long requests are many.</summary>
    [Fact]
    public void ASweepThatHasToWait_HoldsNoFoldOpen() => Run(7, Options with { ExchangePauseRequests = -1 }, async cluster =>
    {
        await PutAllAsync(cluster.Nodes[0], "v");
        await cluster.DelayAsync(TimeSpan.FromSeconds(120));
        Assert.Equal(3 * Keys, Held(cluster));
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Volume.OpenFolds));
    });

    [Fact]
    public void WhatANodeHoldsThatWasAway_IsNotServed_AndComesBackNowhere() => Run(3, Options, async cluster =>
    {
        var away = cluster.Nodes[2];
        await PutAllAsync(cluster.Nodes[0], "v");
        away.Kill(losesPower: false);
        await cluster.DelayAsync(TimeSpan.FromSeconds(120));
        await away.StartAsync();
        await cluster.SettleAsync();
        for (var key = 0; key < Keys; key++)
        {
            Assert.IsType<KvOutcome.NotFound>(await away.AskAsync(new KvRequest.Get { Key = KeyOf(key), R = QuorumValue.One }));
        }

        await cluster.UntilAsync(() => Held(cluster) == 0, 300, "nothing is left on any disk");
        Assert.Empty(await ListAsync(away));
    });

    /// <summary>By an hour, where an object's time is a minute: neither who sweeps nor who reads nor who writes over an object takes it for over.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ANodeWhoseClockIsAhead_TakesNothingThatLives(bool startsSo) => Run(8, Options with { ExpirySweepInterval = TimeSpan.FromSeconds(5) }, async cluster =>
    {
        var (node, ahead) = (cluster.Nodes[0], cluster.Nodes[2]);
        ahead.Clock.Jump(TimeSpan.FromHours(1));
        if (startsSo)
        {
            ahead.Kill(losesPower: false);
            await ahead.StartAsync();
            await cluster.SettleAsync();
        }

        await PutAllAsync(node, "v");
        await PutAsync(ahead, 0, "beside");
        await cluster.DelayAsync(TimeSpan.FromSeconds(40));
        for (var key = 1; key < Keys; key++)
        {
            Assert.Equal(["v"], Values(await GetAsync(node, key)));
            Assert.Equal(["v"], Values(await GetAsync(ahead, key)));
        }

        Assert.Equal(["beside", "v"], Values(await GetAsync(node, 0)));
        Assert.Equal(Keys, (await ListAsync(ahead)).Count);
        ahead.Clock.Jump(TimeSpan.FromHours(-1));
        await cluster.UntilAsync(() => Held(cluster) <= 3, 300, "all is over that was not stamped ahead");
    });

    /// <summary>What it writes would be over before anybody has read it.</summary>
    [Fact]
    public void ANodeWhoseClockIsBehind_WritesNothingThatIsOver() => Run(9, Options with { ExpirySweepInterval = TimeSpan.FromSeconds(5) }, async cluster =>
    {
        var (node, behind) = (cluster.Nodes[0], cluster.Nodes[2]);
        behind.Clock.Jump(TimeSpan.FromHours(-1));
        await PutAllAsync(behind, "v");
        await cluster.DelayAsync(TimeSpan.FromSeconds(40));
        for (var key = 0; key < Keys; key++)
        {
            Assert.Equal(["v"], Values(await GetAsync(node, key)));
        }

        behind.Clock.Jump(TimeSpan.FromHours(1));
        await cluster.UntilAsync(() => Held(cluster) == 0, 300, "nothing is left on any disk");
    });

    [Fact]
    public void ALongerTtl_GivesWhatIsThereMoreTime_AndNoneLetsItStay() => Run(4, Options with { ExpirySweepInterval = TimeSpan.FromDays(30) }, async cluster =>
    {
        var node = cluster.Nodes[0];
        await PutAllAsync(node, "v");
        await cluster.DelayAsync(TimeSpan.FromSeconds(61));
        Assert.IsType<KvOutcome.NotFound>(await GetAsync(node, 0));
        SimCluster.Expect(await node.InAsync(async () => await node.Node.Admin.UpdateBucketTypeAsync(Type, """{"ttl":90}""", default)));
        await cluster.SettleAsync();
        Assert.Equal(["v"], Values(await GetAsync(node, 0)));
        SimCluster.Expect(await node.InAsync(async () => await node.Node.Admin.UpdateBucketTypeAsync(Type, """{"ttl":0}""", default)));
        await cluster.SettleAsync();
        await cluster.DelayAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(["v"], Values(await GetAsync(node, 0)));
    });

    // Whoever finds that an object's time is over has read it a while before its vnode is told.
    [Theory]
    [InlineData("""{"ttl":60,"delete_mode":"immediate","last_write_wins":true,"dvv_enabled":false}""")]
    [InlineData("""{"ttl":60,"delete_mode":"immediate","allow_mult":false}""")]
    [InlineData("""{"ttl":60,"delete_mode":"immediate"}""")]
    public void AWriteThatComesBeforeTheEndOfWhatItReplaces_Stays(string props) => Run(6, Options with { ExpirySweepInterval = TimeSpan.FromDays(30) }, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], 0, "old");
        await cluster.DelayAsync(TimeSpan.FromSeconds(61));
        var stale = Assert.IsType<KvOutcome.NotFound>(await cluster.Nodes[0].AskAsync(new KvRequest.Get { Key = KeyOf(0) }));
        Assert.Null(stale.TombstoneContext);
        var seen = ObjectCodec.Decode(cluster.Nodes[0].Volume.Partitions.SelectMany(partition => cluster.Nodes[0].Volume.Contents(partition).Values).Single()).Clock;
        await PutAsync(cluster.Nodes[1], 0, "new");
        var end = new KvRequest.Delete { Key = KeyOf(0), Context = seen, IsExpiry = true, IsForwarded = true, SloppyQuorum = false };
        Assert.IsType<KvError.Modified>(Assert.IsType<KvOutcome.Failed>(await cluster.Nodes[2].AskAsync(end)).Error);
        Assert.Equal(["new"], Values(await GetAsync(cluster.Nodes[0], 0)));
    }, props: props);

    [Fact]
    public void ATtl_IsRefusedWhileAMemberDoesNotKnowIt() => Run(5, Options, async cluster =>
    {
        var (admin, old) = (cluster.Nodes[0], cluster.Nodes[1].Id);
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("plain", "{}", default)));
        cluster.Network.Instead = (_, to, request) => to == old && request is PeerRequest.KnowsExpiry ? new PeerReply.Refused(PeerReply.Refused.Unreadable + "code 35") : null;
        foreach (var refused in new[]
        {
            await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("more", """{"ttl":60}""", default)),
            await admin.InAsync(async () => await admin.Node.Admin.UpdateBucketTypeAsync("plain", """{"ttl":60}""", default)),
        })
        {
            Assert.Equal(RefusalReason.NotReady, refused!.Refusal!.Reason);
            Assert.Contains(cluster.Document.FindMember(old)!.Name, refused.Refusal.Message, StringComparison.Ordinal);
        }
    });

    private static ObjectKey KeyOf(int number) => new(Type, "b", $"k{number}");

    private static Sibling ContentOf(string value) => new() { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(value) };

    private static async Task<KvOutcome?> GetAsync(SimNode node, int key) => await node.AskAsync(new KvRequest.Get { Key = KeyOf(key), R = QuorumValue.All });

    private static IEnumerable<string> Values(KvOutcome? outcome) =>
        Assert.IsType<KvOutcome.Found>(outcome).Object.Siblings.Select(sibling => System.Text.Encoding.UTF8.GetString(sibling.Value.Span)).Order(StringComparer.Ordinal);

    private static async Task PutAsync(SimNode node, int key, string value) =>
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(new KvRequest.Put { Key = KeyOf(key), Content = ContentOf(value), W = QuorumValue.All }));

    private static async Task PutAllAsync(SimNode node, string value)
    {
        for (var key = 0; key < Keys; key++)
        {
            await PutAsync(node, key, value);
        }
    }

    private static async Task<List<string>> ListAsync(SimNode node) => (await node.InAsync(async () =>
    {
        var names = new List<string>();
        await foreach (var page in node.Node.Client.ListKeysAsync(new BucketName(Type, "b"), null, default))
        {
            names.AddRange(page.Select(name => System.Text.Encoding.UTF8.GetString(name.Span)));
        }

        return names;
    }))!;

    private static int Held(SimCluster cluster) => cluster.Up.Sum(node => node.Volume.Partitions.Sum(partition => node.Volume.Contents(partition).Count));

    private static void Run(int seed, ClusterOptions options, Func<SimCluster, Task> story, bool aae = true, string? props = null) => SimCluster.Run(
        seed,
        3,
        async cluster =>
        {
            await cluster.FormAsync(3);
            var admin = cluster.Nodes[0];
            props ??= $$"""{"ttl":60,"delete_mode":"immediate","aae":{{(aae ? "true" : "false")}}}""";
            SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync(Type, props, default)));
            await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType(Type).Value!.MissingOn.IsEmpty, 20, "the bucket type is ready");
            SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync(Type, default)));
            await cluster.SettleAsync();
            await story(cluster);
        },
        options: options);
}
