using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Protos.Admin.V1;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>The client package against three whole nodes over their sockets.</summary>
public sealed class KvClusterClientTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PutGetDelete_OfOneKey()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await using var client = await ConnectAsync(cluster);
        var key = Key("life");
        Assert.True(Assert.IsType<GetResult.NotFound>(await client.GetAsync(key, cancel: None)).Context.IsEmpty);

        var value = new KvValue("hello"u8.ToArray())
        {
            ContentType = "text/plain",
            UserMetadata = [KeyValuePair.Create("colour", "red")],
            Links = [new Link("b", "k", "friend")],
        };
        var put = await client.PutAsync(key, value, new PutOptions { ReturnBody = true }, None);
        Assert.Equal("hello", Text(put.Object!));
        var found = Found(await client.GetAsync(key, cancel: None));
        Assert.Equal("text/plain", found.Siblings[0].Content.ContentType);
        Assert.Equal(value.UserMetadata, found.Siblings[0].Content.UserMetadata);
        Assert.Equal(value.Links, found.Siblings[0].Content.Links);
        Assert.IsType<GetResult.Unchanged>(await client.GetAsync(key, new GetOptions { IfModified = found.Context }, None));

        Assert.True(await client.DeleteAsync(key, cancel: None));
        Assert.False(await client.DeleteAsync(Key("never-there"), cancel: None));
        Assert.IsType<GetResult.NotFound>(await client.GetAsync(key, cancel: None));
    }

    [Fact]
    public async Task Siblings_AreShownAll_AndOnePutWithTheirContextResolvesThem()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await cluster.ActivateAsync("siblings", """{"allow_mult":true}""", None);
        await using var client = await ConnectAsync(cluster);
        var key = new ObjectKey("siblings", "carts", "alice");
        await client.PutAsync(key, new KvValue("book"u8.ToArray()), cancel: None);
        await client.PutAsync(key, new KvValue("lamp"u8.ToArray()), cancel: None);

        var both = Found(await client.GetAsync(key, cancel: None));
        Assert.Equal(["book", "lamp"], both.Siblings.Select(sibling => Encoding.UTF8.GetString(sibling.Content.Value.Span)).Order());
        Assert.Throws<InvalidOperationException>(() => both.Value);
        await client.PutAsync(key, new KvValue("book, lamp"u8.ToArray()), new PutOptions { Context = both.Context }, None);
        Assert.Equal("book, lamp", Text(Found(await client.GetAsync(key, cancel: None))));
    }

    [Fact]
    public async Task APutAsIs_IsStoredUnderTheClockItWasGiven()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await using var client = await ConnectAsync(cluster);
        await client.PutAsync(Key("from"), new KvValue("v"u8.ToArray()), cancel: None);
        var from = Found(await client.GetAsync(Key("from"), cancel: None));

        await client.PutAsync(Key("to"), new KvValue(from.Value), new PutOptions { Context = from.Context, AsIs = true }, None);
        Assert.Equal(from.Context.ToArray(), Found(await client.GetAsync(Key("to"), cancel: None)).Context.ToArray());
        await client.PutAsync(Key("coordinated"), new KvValue(from.Value), new PutOptions { Context = from.Context }, None);
        Assert.NotEqual(from.Context.ToArray(), Found(await client.GetAsync(Key("coordinated"), cancel: None)).Context.ToArray());
    }

    [Fact]
    public async Task ListBuckets_IsEachBucketOfTheTypeThatHasKeys_Once()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await cluster.ActivateAsync("typed", """{"allow_mult":true}""", None);
        await using var client = await ConnectAsync(cluster);
        byte[] odd = [0, 255, (byte)'/'];
        foreach (var bucket in new[] { "b1"u8.ToArray(), "b2"u8.ToArray(), odd })
        {
            for (var i = 0; i < 20; i++)
            {
                await client.PutAsync(new ObjectKey("typed", bucket, Encoding.UTF8.GetBytes($"k{i}")), new KvValue("v"u8.ToArray()), cancel: None);
            }
        }

        await client.PutAsync(new ObjectKey(ObjectKey.DefaultType, "untyped", "k"), new KvValue("v"u8.ToArray()), cancel: None);
        Assert.Equal([Convert.ToHexString(odd), Convert.ToHexString("b1"u8), Convert.ToHexString("b2"u8)], await BucketsAsync(client, "typed"));
        Assert.Equal([Convert.ToHexString("untyped"u8)], await BucketsAsync(client, ObjectKey.DefaultType));
        var unknown = await Assert.ThrowsAsync<KvException>(() => BucketsAsync(client, "nowhere"));
        Assert.Equal(KvErrorCode.UnknownBucketType, unknown.Code);
    }

    [Fact]
    public async Task Refusals_CarryTheirCode()
    {
        await using var cluster = await TestCluster.StartAsync(1, None);
        await using var client = await ConnectAsync(cluster);
        await client.PutAsync(Key("there"), new KvValue(default), cancel: None);
        Assert.Equal(KvErrorCode.MatchFound, await CodeAsync(client.PutAsync(Key("there"), new KvValue(default), new PutOptions { IfNoneMatch = true }, None)));
        Assert.Equal(KvErrorCode.UnknownBucketType, await CodeAsync(client.PutAsync(new ObjectKey("nowhere", "b", "k"), new KvValue(default), cancel: None)));
        Assert.Equal(KvErrorCode.NValViolation, await CodeAsync(client.PutAsync(Key("k"), new KvValue(default), new PutOptions { W = QuorumValue.Of(9) }, None)));
        Assert.Equal(KvErrorCode.InvalidRequest, await CodeAsync(client.PutAsync(Key("k"), new KvValue(default), new PutOptions { Context = "noise"u8.ToArray() }, None)));
    }

    [Fact]
    public async Task ANodeThatIsGone_StopsNoCaller()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await using var client = await ConnectAsync(cluster);
        for (var i = 0; i < 100; i++)
        {
            await client.PutAsync(Key($"k{i}"), new KvValue(Encoding.UTF8.GetBytes($"v{i}")), cancel: None);
        }

        await cluster.Nodes[1].DisposeAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), None, async (i, cancel) =>
        {
            Assert.Equal($"v{i}", Text(Found(await client.GetAsync(Key($"k{i}"), cancel: cancel))));
            await PutPatientlyAsync(client, Key($"new{i}"), cancel);
        });
    }

    [Fact]
    public async Task ManyCallers_GetTheirOwnAnswers()
    {
        await using var cluster = await TestCluster.StartAsync(3, None);
        await using var client = await ConnectAsync(cluster, maxInFlightPerNode: 8);
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 128, CancellationToken = None }, async (i, cancel) =>
        {
            await client.PutAsync(Key($"k{i}"), new KvValue(Encoding.UTF8.GetBytes($"v{i}")), cancel: cancel);
            Assert.Equal($"v{i}", Text(Found(await client.GetAsync(Key($"k{i}"), cancel: cancel))));
        });
        var results = await client.MultiGetAsync([.. Enumerable.Range(0, 50).Select(i => Key($"k{i}"))], cancel: None);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"v{i}"), results.Select(result => Text(Found(result))));

        var listed = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var key in client.ListKeysAsync(ObjectKey.DefaultType, "b"u8.ToArray(), None))
        {
            Assert.True(listed.Add(Encoding.UTF8.GetString(key.Span)));
        }

        Assert.Equal(2000, listed.Count);
    }

    [Fact]
    public async Task ARingThatGrows_IsFollowed()
    {
        await using var cluster = await TestCluster.StartAsync(1, None);
        await using var client = await ConnectAsync(cluster);
        var before = client.RingVersion;
        await using var joining = await TestNode.StartAsync("late", None);
        var admin = cluster.Nodes[0].Admin;
        var plan = await admin.StageJoinAsync(new StageJoinRequest { PeerAddresses = { joining.Endpoint("peer") } }, cancellationToken: None);
        await admin.CommitPlanAsync(new CommitPlanRequest { PlanId = plan.PlanId }, cancellationToken: None);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion > before), None);
        await client.PutAsync(Key("k"), new KvValue("v"u8.ToArray()), cancel: None);
        Assert.Equal("v", Text(Found(await client.GetAsync(Key("k"), cancel: None))));
    }

    [Fact]
    public async Task NoSeedThatAnswers_IsUnavailable_AndNamesThemAll()
    {
        var failure = await Assert.ThrowsAsync<KvException>(() => KvClusterClient.ConnectAsync(
            new KvClientOptions { Seeds = ["127.0.0.1:1", "127.0.0.1:2"], Timeout = TimeSpan.FromSeconds(1) }, None));
        Assert.Equal(KvErrorCode.Unavailable, failure.Code);
        Assert.True(failure.IsRetryable);
        Assert.Contains("127.0.0.1:1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SettingsThatMakeNoSense_AreAllToldAtOnce()
    {
        var problem = await Assert.ThrowsAsync<ArgumentException>(() => KvClusterClient.ConnectAsync(
            new KvClientOptions { Seeds = [], Timeout = TimeSpan.Zero, MaxAttempts = 0, MaxInFlightPerNode = 0 }, None));
        Assert.All(["Seeds", "Timeout", "MaxAttempts", "MaxInFlightPerNode"], name => Assert.Contains(name, problem.Message, StringComparison.Ordinal));
    }

    private static ObjectKey Key(string key) => new(ObjectKey.DefaultType, "b", key);

    private static KvObjectView Found(GetResult result) => Assert.IsType<GetResult.Found>(result).Object;

    private static string Text(KvObjectView found) => Encoding.UTF8.GetString(found.Value.Span);

    private static async Task<KvErrorCode> CodeAsync(ValueTask<PutResult> put) => (await Assert.ThrowsAsync<KvException>(() => put.AsTask())).Code;

    private static async Task<List<string>> BucketsAsync(KvClusterClient client, string bucketType)
    {
        var buckets = new List<string>();
        await foreach (var bucket in client.ListBucketsAsync(bucketType, None))
        {
            buckets.Add(Convert.ToHexString(bucket.Span));
        }

        buckets.Sort(StringComparer.Ordinal);
        return buckets;
    }

    private static Task<KvClusterClient> ConnectAsync(TestCluster cluster, int maxInFlightPerNode = 1024) => KvClusterClient.ConnectAsync(
        new KvClientOptions { Seeds = [.. cluster.Nodes.Select(node => node.Endpoint("grpc"))], MaxInFlightPerNode = maxInFlightPerNode, Timeout = TimeSpan.FromSeconds(20) }, None);

    /// <summary>As an application does it: what may be tried again is tried again.</summary>
    private static async Task PutPatientlyAsync(KvClusterClient client, ObjectKey key, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await client.PutAsync(key, new KvValue("new"u8.ToArray()), cancel: cancel);
                return;
            }
            catch (KvException failure) when (failure.IsRetryable && attempt < 20)
            {
                await Task.Delay(50, cancel);
            }
        }
    }
}
