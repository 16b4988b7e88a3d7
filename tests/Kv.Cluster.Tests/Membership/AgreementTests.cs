using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Membership;

/// <summary>One document, whatever happens. The world itself fails a story in which two nodes hold different documents of one version.</summary>
public sealed class AgreementTests
{
    [Fact]
    public void Minority_CannotChange_MajorityCan_AndTheyMeetAfterTheHeal() => SimCluster.Run(1, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        Cut(cluster, cluster.Nodes[..2], cluster.Nodes[2..]);
        await cluster.DelayAsync(TimeSpan.FromSeconds(5));

        var minority = CreateTypeAsync(cluster.Nodes[0], "minor");
        var majority = await CreateTypeAsync(cluster.Nodes[3], "major");
        Assert.True(majority!.Value);
        Assert.False(await minority);
        Assert.False(cluster.Nodes[1].Document!.BucketTypes.ContainsKey("major"));

        cluster.Network.HealAll();
        await cluster.SettleAsync();
        Assert.All(cluster.Nodes, n => Assert.True(n.Document!.BucketTypes.ContainsKey("major")));
    });

    public static TheoryData<int> Steps() => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(Steps))]
    public void Claimant_KilledAtItsNthMessage_ForksNothingAndLosesNoAcknowledgedChange(int nth) => SimCluster.Run(100 + nth, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (claimant, asker) = (cluster.Nodes[0], cluster.Nodes[3]);
        var seen = 0;
        cluster.Network.Drop = (from, to, request) =>
        {
            var isStep = request is PeerRequest.Prepare or PeerRequest.Accept or PeerRequest.LearnDocument || (request is PeerRequest.Propose && to == claimant.Id);
            if (isStep && (from == claimant.Id || to == claimant.Id) && ++seen == nth)
            {
                cluster.Scheduler.World.After(TimeSpan.FromTicks(cluster.Scheduler.Random.Next(1, 20_000)), () => Kill(claimant));
            }

            return false;
        };
        Assert.True(await CreateTypeAsync(asker, "one"));
        Assert.True(await CreateTypeAsync(asker, "two"));
        Kill(claimant);
        Assert.True(await CreateTypeAsync(asker, "three"));
        await claimant.StartAsync();
        await cluster.SettleAsync();

        Assert.Equal(["one", "three", "two"], claimant.Document!.BucketTypes.Keys);
    });

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 15)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Changes_WithCrashesCutsAndLoss_NeverForkAndKeepWhatWasAcknowledged(int seed) => SimCluster.Run(
        200 + seed,
        5,
        async cluster =>
        {
            await cluster.FormAsync(5);
            var acknowledged = new List<string>();
            var end = cluster.Scheduler.Now + TimeSpan.FromSeconds(40).Ticks;
            var admins = Enumerable.Range(0, 3).Select(n => AdministerAsync(cluster, $"a{n}", acknowledged, end)).ToList();
            await FaultsAsync(cluster, end);
            foreach (var admin in admins)
            {
                await admin;
            }

            cluster.Network.HealAll();
            foreach (var node in cluster.Nodes.Where(n => !n.IsUp))
            {
                await node.StartAsync();
            }

            await cluster.SettleAsync();
            Assert.All(acknowledged, name => Assert.True(cluster.Document.BucketTypes.ContainsKey(name), $"{name} is lost"));
            Assert.NotEmpty(acknowledged);
        },
        new SimNetworkOptions { RequestLoss = 0.01, ReplyLoss = 0.01, Duplication = 0.03, Straggling = 0.02 });

    /// <summary>However many versions are decided meanwhile; the newest reaches it when it answers again.</summary>
    [Fact]
    public void ASilentMember_IsToldOneDocumentAtATime() => SimCluster.Run(5, 5, async cluster =>
    {
        await cluster.FormAsync(5);
        var (claimant, silent, told) = (cluster.Nodes[0], cluster.Nodes[4], new LearnDocumentSeams());
        claimant.Kill();
        cluster.Seams = told;
        await claimant.StartAsync();
        await cluster.SettleAsync();
        silent.Pause();
        for (var change = 0; change < 20; change++)
        {
            Assert.True(await CreateTypeAsync(claimant, $"t{change:D2}"));
        }

        Assert.InRange(told.MostTo(silent.Id), 1, 1);
        silent.Resume();
        await cluster.SettleAsync();
        Assert.Equal(20, silent.Document!.BucketTypes.Keys.Count(name => name.StartsWith('t')));
    });

    [Fact]
    public void Story_OfOneSeed_GoesTheSameWayTwice()
    {
        static ulong TraceOf(int seed)
        {
            var hash = 0ul;
            SimCluster.Run(seed, 4, async cluster =>
            {
                await cluster.FormAsync(3);
                var end = cluster.Scheduler.Now + TimeSpan.FromSeconds(20).Ticks;
                var admin = AdministerAsync(cluster, "a", [], end);
                await FaultsAsync(cluster, end);
                await admin;
                hash = cluster.Scheduler.TraceHash;
            });
            return hash;
        }

        Assert.Equal(TraceOf(7), TraceOf(7));
        Assert.NotEqual(TraceOf(7), TraceOf(8));
    }

    [Fact]
    public void BucketType_IsActivatedOnlyWhenEveryMemberHasIt() => SimCluster.Run(3, 3, async cluster =>
    {
        await cluster.FormAsync(3);
        var (admin, absent) = (cluster.Nodes[0], cluster.Nodes[2]);
        absent.Kill();
        Assert.True(await CreateTypeAsync(admin, "t"));
        var early = await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default));
        Assert.Equal(RefusalReason.NotReady, early.Refusal!.Reason);
        Assert.Contains("n3", early.Refusal.Message, StringComparison.Ordinal);

        await absent.StartAsync();
        await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType("t").Value!.MissingOn.IsEmpty, 10, "every member shows that it has the type");
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("t", default)));
        await cluster.SettleAsync();
        Assert.Equal(Core.Buckets.BucketTypeState.Active, absent.Document!.BucketTypes["t"].State);
    });

    [Fact]
    public void BucketProps_ThatBreakARule_AreRefusedWithTheirProblems() => SimCluster.Run(4, 1, async cluster =>
    {
        await cluster.FormAsync(1);
        var admin = cluster.Nodes[0];
        var bad = await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", """{"n_val":0,"r":"some"}""", default));
        Assert.Equal(RefusalReason.InvalidProps, bad.Refusal!.Reason);
        Assert.Contains("n_val", bad.Refusal.Message, StringComparison.Ordinal);
        Assert.Contains("r:", bad.Refusal.Message, StringComparison.Ordinal);
        var consistent = await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("t", """{"consistent":true}""", default));
        Assert.Equal(RefusalReason.InvalidProps, consistent.Refusal!.Reason);
        Assert.StartsWith("consistent: ", consistent.Refusal.Message, StringComparison.Ordinal);
        Assert.Equal(RefusalReason.Undefined, admin.Node.Admin.GetBucketType("t").Refusal!.Reason);
        var standard = await admin.InAsync(async () => await admin.Node.Admin.UpdateBucketTypeAsync("default", """{"allow_mult":true}""", default));
        Assert.Equal(RefusalReason.NoDefaultUpdate, standard.Refusal!.Reason);

        var bucket = new Core.Objects.BucketName("default", "b");
        var set = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.SetBucketPropsAsync(bucket, """{"allow_mult":true}""", default)));
        Assert.True(set.AllowMult);
        var reset = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ResetBucketPropsAsync(bucket, default)));
        Assert.False(reset.AllowMult);
    });

    [Fact]
    public void BucketTypes_AreToldWithTheStrictestBucketOfEachNVal() => SimCluster.Run(4, 1, async cluster =>
    {
        await cluster.FormAsync(1);
        var admin = cluster.Nodes[0];
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync("once", """{"n_val":1}""", default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync("once", default)));
        foreach (var (type, name, props) in new[] { ("once", "a", """{"pw":1}"""), ("default", "b", """{"pw":2}"""), ("default", "c", """{"pw":"all"}"""), ("default", "d", """{"r":1}""") })
        {
            SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.SetBucketPropsAsync(new Core.Objects.BucketName(type, name), props, default)));
        }

        var told = SimCluster.Expect(admin.Node.Admin.ListBucketTypes());
        Assert.Equal(["once/a 1 of 1", "default/c 3 of 3"], told.StrictBuckets.Select(bucket => $"{bucket.Bucket} {bucket.Quorum} of {bucket.NVal}"));
    });

    [Fact]
    public void NodeOfAnotherCluster_LearnsNothing() => SimCluster.Run(5, 2, async cluster =>
    {
        await cluster.FormAsync(1);
        var other = cluster.Nodes[1];
        SimCluster.Expect(await other.InAsync(async () => await other.Node.Admin.CreateClusterAsync(null, "other", 16, default)));
        var theirs = other.Document!;
        var news = new PeerRequest.LearnDocument(cluster.Document with { Version = 99 });
        var reply = await other.InAsync(async () => await other.Node.PeerHandler.HandleAsync(cluster.Nodes[0].Id, news, Deadline.After(cluster.Scheduler.World.Time, TimeSpan.FromSeconds(1)), default));

        Assert.IsType<PeerReply.Refused>(reply);
        Assert.Equal(theirs, other.Document);
    });

    private static async Task AdministerAsync(SimCluster cluster, string name, List<string> acknowledged, long end)
    {
        var random = cluster.Scheduler.Random;
        for (var n = 0; cluster.Scheduler.Now < end; n++)
        {
            await cluster.DelayAsync(TimeSpan.FromMilliseconds(random.Next(10, 1500)));
            if (await CreateTypeAsync(cluster.Nodes[random.Next(cluster.Nodes.Length)], $"{name}-{n}") == true)
            {
                acknowledged.Add($"{name}-{n}");
            }
        }
    }

    private static async Task FaultsAsync(SimCluster cluster, long end)
    {
        var random = cluster.Scheduler.Random;
        while (cluster.Scheduler.Now < end)
        {
            await cluster.DelayAsync(TimeSpan.FromMilliseconds(random.Next(50, 3000)));
            var (node, other) = (cluster.Nodes[random.Next(cluster.Nodes.Length)], cluster.Nodes[random.Next(cluster.Nodes.Length)]);
            switch (random.Next(6))
            {
                case 0:
                    Kill(node);
                    break;
                case 1 or 2 when !node.IsUp:
                    await node.StartAsync();
                    break;
                case 3 when node != other:
                    cluster.Network.Cut(node.Id, other.Id);
                    break;
                case 4:
                    cluster.Network.HealAll();
                    break;
            }
        }
    }

    /// <summary>Whether it was acknowledged; null where the node died or was down.</summary>
    private static async Task<bool?> CreateTypeAsync(SimNode node, string name) => node.Document is null
        ? null
        : (await node.InAsync<object>(async () => (await node.Node.Admin.CreateBucketTypeAsync(name, "{}", default)).IsOk)) as bool?;

    private static void Kill(SimNode node)
    {
        if (node.IsUp)
        {
            node.Kill();
        }
    }

    private static void Cut(SimCluster cluster, IEnumerable<SimNode> some, IEnumerable<SimNode> others)
    {
        foreach (var (a, b) in some.SelectMany(_ => others, (a, b) => (a, b)))
        {
            cluster.Network.Cut(a.Id, b.Id);
        }
    }
}
