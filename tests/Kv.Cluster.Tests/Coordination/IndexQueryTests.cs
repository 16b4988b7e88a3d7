using System.Globalization;
using System.Text;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Queries of indexes by way of a cluster: whole, in order, page by page, with nodes down, and refused where they make no sense.</summary>
public sealed class IndexQueryTests
{
    private const string Type = "ordered";
    private static readonly ClusterOptions SmallPages = new() { ListPageKeys = 5, RequestTimeout = TimeSpan.FromSeconds(5) };
    private static readonly BucketName Bucket = new(Type, "b");

    [Fact]
    public void Ranges_GiveTermsInTheirOrder_AndKeysWithinThem() => Run(1, async (cluster, held) =>
    {
        Assert.Equal(Expected(held, -3, 4), Of(await AllAsync(cluster.Nodes[1], Query("age_int", "-3", "4"))));
        Assert.Equal(Expected(held, -100, 100), Of(await AllAsync(cluster.Nodes[2], Query("age_int", "-99999999999999999999", "99999999999999999999"))));
        Assert.Equal(["red"], (await AllAsync(cluster.Nodes[0], Query("color_bin", "re", "red\0"))).Select(match => match.Term).Distinct());
        Assert.Empty(await AllAsync(cluster.Nodes[0], Query("age_int", "4", "3")));
        Assert.Empty(await AllAsync(cluster.Nodes[0], Query("other_bin", "a", "z")));
    });

    [Fact]
    public void Equalities_GiveKeysInOrder() => Run(2, async (cluster, held) =>
    {
        Assert.Equal(Expected(held, 2, 2), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "+02", null))));
        Assert.Empty(await AllAsync(cluster.Nodes[0], Query("color_bin", "re", null)));
    });

    [Fact]
    public void KeyAndBucket_GiveLiveKeys() => Run(3, async (cluster, held) =>
    {
        await cluster.Nodes[0].AskAsync(new KvRequest.Delete { Key = Key("k07") });
        await cluster.WaitAsync(1);
        var keys = held.Keys.Where(key => key != "k07").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(keys, Keys(await AllAsync(cluster.Nodes[0], Query(IndexQuery.BucketField, "whatever", null))));
        Assert.Equal(keys.Where(key => string.CompareOrdinal(key, "k05") >= 0 && string.CompareOrdinal(key, "k12") <= 0), Keys(await AllAsync(cluster.Nodes[1], Query(IndexQuery.KeyField, "k05", "k12"))));
        Assert.Equal(["k11"], Keys(await AllAsync(cluster.Nodes[1], Query(IndexQuery.KeyField, "k11", null))));
        Assert.Equal(["k11"], Keys(await AllAsync(cluster.Nodes[1], Query(IndexQuery.KeyField, "k", "l") with { TermRegex = "^k1{2}$" })));
    });

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(40)]
    [InlineData(1000)]
    public void Pages_FollowEachOther_AndTheLastHasNoContinuation(int size) => Run(4, async (cluster, held) =>
    {
        var expected = Expected(held, -100, 100);
        var found = new List<(string, string)>();
        var query = Query("age_int", "-100", "100") with { MaxResults = size };
        for (var page = 0; ; page++)
        {
            var (matches, continuation) = await PageAsync(cluster.Nodes[page % 5], query);
            found.AddRange(Of(matches));
            Assert.Equal(Math.Min(size, expected.Count - (page * size)), matches.Count);
            Assert.Equal(matches.Count == size, continuation is not null);
            if (continuation is null)
            {
                break;
            }

            query = query with { Continuation = continuation };
        }

        Assert.Equal(expected, found);
    });

    [Fact]
    public void TermRegex_IsAppliedToTerms() => Run(5, async (cluster, held) =>
    {
        var found = await AllAsync(cluster.Nodes[0], Query("color_bin", "a", "z") with { TermRegex = "^(red|.*een)$" });
        Assert.Equal(["green", "red"], found.Select(match => match.Term).Distinct());
        Assert.Equal(held.Values.Count(entry => entry.Color is "red" or "green"), found.Count);
    });

    [Fact]
    public void WithANodeDown_TheOthersAnswer() => Run(6, async (cluster, held) =>
    {
        cluster.Nodes[4].Kill();
        cluster.Detect();
        Assert.Equal(Expected(held, -100, 100), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "-100", "100"))));
    });

    [Fact]
    public void WithAVnodeThatFailsMidway_OthersGoOnWhereItStopped() => Run(7, async (cluster, held) =>
    {
        var pages = 0;
        cluster.Network.Options = cluster.Network.Options with { Duplication = 0.2 };
        cluster.Network.Drop = (_, to, request) =>
        {
            if (request is PeerRequest.VnodeScan && ++pages == 6 && cluster.Node(to).IsUp)
            {
                cluster.Node(to).Kill();
            }

            return false;
        };
        Assert.Equal(Expected(held, -100, 100), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "-100", "100"))));
        Assert.Contains(cluster.Nodes, node => !node.IsUp);
    });

    [Fact]
    public void WithTooManyNodesDown_ItFailsAndIsNotPartial() => Run(8, async (cluster, _) =>
    {
        foreach (var node in cluster.Nodes.Skip(2))
        {
            node.Kill();
        }

        cluster.Detect();
        Assert.IsType<KvError.InsufficientVnodes>(await ErrorAsync(cluster.Nodes[0], Query("age_int", "1", "2")));
    });

    [Fact]
    public void Siblings_AreFoundByAllTheirTerms_AndAKeyOncePerTerm() => Run(9, async (cluster, _) =>
    {
        await PutAsync(cluster.Nodes[0], Bucket, "s", ("tag_bin", "one"), ("tag_bin", "two"));
        await PutAsync(cluster.Nodes[1], Bucket, "s", ("tag_bin", "two"), ("tag_bin", "three"));
        await cluster.WaitAsync(1);
        Assert.Equal([("one", "s"), ("three", "s"), ("two", "s")], Of(await AllAsync(cluster.Nodes[2], Query("tag_bin", "a", "z"))));
    });

    [Theory]
    [InlineData("color", "a", null, "Invalid query: Unknown field type for field: 'color'.")]
    [InlineData("age_int", "x", null, "Invalid query: Could not parse field 'age_int', value 'x'.")]
    [InlineData("age_int", "1", "1.5", "Invalid query: Could not parse field 'age_int', value '1.5'.")]
    public void WhatMakesNoSense_IsRefused(string field, string start, string? end, string message) => Run(10, async (cluster, _) =>
        Assert.Equal(new KvError.InvalidRequest(message), await ErrorAsync(cluster.Nodes[0], Query(field, start, end))));

    [Fact]
    public void PatternsAndContinuations_ThatCannotBeHad_AreRefused() => Run(11, async (cluster, _) =>
    {
        var node = cluster.Nodes[0];
        Assert.Equal(new KvError.InvalidRequest("Can not use term regular expressions on integer queries"), await ErrorAsync(node, Query("age_int", "1", "2") with { TermRegex = "1" }));
        Assert.Equal(new KvError.InvalidRequest("Invalid term regular expression ("), await ErrorAsync(node, Query("color_bin", "1", "2") with { TermRegex = "(" }));
        Assert.IsType<KvError.InvalidRequest>(await ErrorAsync(node, Query("color_bin", "1", "2") with { Continuation = "g2gCbQ" }));
        Assert.IsType<KvError.InvalidRequest>(await ErrorAsync(node, Query("color_bin", "1", "2") with { MaxResults = 0 }));
    });

    [Fact]
    public void ABackendWithoutIndexes_IsNamed() => Run(12, async (cluster, _) =>
    {
        Assert.Equal(new KvError.IndexesNotSupported("faster"), await ErrorAsync(cluster.Nodes[0], new IndexQuery(new BucketName(DataCluster.Siblings, "b"), "age_int", "1", null)));
        Assert.Equal(new KvError.UnknownBucketType("nope"), await ErrorAsync(cluster.Nodes[0], new IndexQuery(new BucketName("nope", "b"), "age_int", "1", null)));
    });

    [Fact]
    public void PastItsTimeout_ItFails() => Run(13, async (cluster, _) =>
    {
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.VnodeScan;
        Assert.True((await ErrorAsync(cluster.Nodes[0], Query("age_int", "1", "2") with { Timeout = TimeSpan.FromSeconds(1) })).IsRetryable);
    });

    [Fact]
    public void AnEndlessTimeout_IsCut() => Run(14, async (cluster, held) =>
        Assert.Equal(Expected(held, 2, 2), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "2", null) with { Timeout = TimeSpan.MaxValue }))));

    [Fact]
    public void AVnodeThatHangs_IsReplaced() => Run(15, async (cluster, held) =>
    {
        cluster.Network.Drop = (_, to, request) => request is PeerRequest.VnodeScan && to == cluster.Nodes[4].Id;
        Assert.Equal(Expected(held, -100, 100), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "-100", "100"))));
    });

    [Fact]
    public void VnodesWithoutRoomForAMoment_AreAskedAgain() => Run(16, async (cluster, held) =>
    {
        var refused = new HashSet<(NodeId, PartitionId)>();
        cluster.Network.Instead = (_, to, request) => request is PeerRequest.VnodeScan scan && refused.Add((to, scan.Partition)) ? new PeerReply.Overloaded() : null;
        Assert.Equal(Expected(held, -100, 100), Of(await AllAsync(cluster.Nodes[0], Query("age_int", "-100", "100"))));
        Assert.NotEmpty(refused);
    });

    [Fact]
    public void AQuery_CountsAmongTheRequestsUnderWay() => Run(17, (cluster, held) => cluster.Nodes[0].Context.Enter(async () =>
    {
        var found = 0;
        await foreach (var page in cluster.Nodes[0].Client.QueryIndexAsync(Query("age_int", "-100", "100"), CancellationToken.None))
        {
            found += page.Matches.Count;
            Assert.Equal(1, cluster.Nodes[0].Client.Active);
        }

        Assert.Equal(held.Count, found);
        Assert.Equal(0, cluster.Nodes[0].Client.Active);
    }));

    [Fact]
    public void AVnode_ReadsABoundedNumberOfPagesAtOnce() => Run(18, async (cluster, _) =>
    {
        var node = cluster.Nodes[0];
        var partition = new PartitionId(cluster.Document.Ring.Owners.IndexOf(node.Id));
        var scan = new PeerRequest.VnodeScan(partition, ScanSpace.Index, default, default, 1, null, 0) { DocumentVersion = cluster.Document.Version };
        var replies = await node.Context.Enter(async () =>
            await Task.WhenAll(Enumerable.Range(0, cluster.Options.MaxScansPerVnode + 3).Select(_ => node.Gate.ScanAsync(scan, CancellationToken.None).AsTask())));
        Assert.Equal(3, replies.Count(reply => reply is PeerReply.Overloaded));
        Assert.Equal(cluster.Options.MaxScansPerVnode, replies.Count(reply => reply is PeerReply.ScanPage));
    });

    [Fact]
    public void KeysNeedNotBeText() => Run(19, async (cluster, _) =>
    {
        ReadOnlyMemory<byte> key = new byte[] { 0xFF, 0x00, 0xFE };
        await cluster.Nodes[0].AskAsync(Story.Put("v", key: new ObjectKey(Type, Bucket.Bucket, key)));
        await cluster.WaitAsync(1);
        Assert.Equal([key.ToArray()], (await AllAsync(cluster.Nodes[0], new IndexQuery(Bucket, IndexQuery.KeyField, key, null))).Select(match => match.Key.ToArray()));
        Assert.Equal([key.ToArray()], (await AllAsync(cluster.Nodes[0], new IndexQuery(Bucket, IndexQuery.KeyField, new byte[] { 0xFE, 0xFF }, new byte[] { 0xFF, 0xFF }))).Select(match => match.Key.ToArray()));
        Assert.IsType<KvError.InvalidRequest>(await ErrorAsync(cluster.Nodes[0], new IndexQuery(Bucket, "color_bin", key, null)));
    });

    private static void Run(int seed, Func<DataCluster, SortedDictionary<string, (int Age, string Color)>, Task> story) => DataCluster.Run(seed, 5, async cluster =>
    {
        cluster.SetType(Type, BucketProps.NewType with { Backend = BucketProps.OrderedBackend });
        var random = new Random(seed);
        var held = new SortedDictionary<string, (int Age, string Color)>(StringComparer.Ordinal);
        for (var number = 0; number < 40; number++)
        {
            var (key, age, color) = ($"k{number:D2}", random.Next(-6, 7), new[] { "red", "green", "blue" }[random.Next(3)]);
            held.Add(key, (age, color));
            await PutAsync(cluster.Nodes[number % 5], Bucket, key, ("age_int", age.ToString(CultureInfo.InvariantCulture)), ("color_bin", color));
        }

        // What a query of the bucket must not come across.
        await PutAsync(cluster.Nodes[0], new BucketName(Type, "b\0"), "not mine", ("age_int", "1"), ("color_bin", "red"));
        await PutAsync(cluster.Nodes[0], new BucketName(Type, "a"), "not mine", ("age_int", "1"), ("color_bin", "red"));
        await cluster.WaitAsync(1);
        await story(cluster, held);
    }, options: SmallPages);

    private static ObjectKey Key(string key) => new(Type, "b", key);

    private static IndexQuery Query(string field, string start, string? end) => new(Bucket, field, start, end);

    private static async Task PutAsync(DataNode node, BucketName bucket, string key, params (string Field, string Term)[] entries)
    {
        var put = Story.Put("v", key: new ObjectKey(bucket.BucketType, bucket.Bucket, Encoding.UTF8.GetBytes(key)));
        put = put with { Content = put.Content with { Metadata = new ObjectMetadata { Indexes = [.. entries.Select(entry => KeyValuePair.Create(entry.Field, entry.Term))] } } };
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(put));
    }

    private static List<(string, string)> Expected(SortedDictionary<string, (int Age, string Color)> held, int from, int until) =>
    [
        .. held.Where(entry => entry.Value.Age >= from && entry.Value.Age <= until)
            .OrderBy(entry => entry.Value.Age).ThenBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => (entry.Value.Age.ToString(CultureInfo.InvariantCulture), entry.Key)),
    ];

    private static List<(string, string)> Of(IEnumerable<IndexMatch> matches) => [.. matches.Select(match => (match.Term, Encoding.UTF8.GetString(match.Key.Span)))];

    private static List<string> Keys(IEnumerable<IndexMatch> matches) => [.. matches.Select(match => Encoding.UTF8.GetString(match.Key.Span))];

    private static async Task<List<IndexMatch>> AllAsync(DataNode node, IndexQuery query) => (await PageAsync(node, query)).Matches;

    private static Task<(List<IndexMatch> Matches, string? Continuation)> PageAsync(DataNode node, IndexQuery query) => node.Context.Enter(async () =>
    {
        var matches = new List<IndexMatch>();
        string? continuation = null;
        await foreach (var page in node.Client.QueryIndexAsync(query, CancellationToken.None))
        {
            matches.AddRange(page.Matches);
            continuation = page.Continuation;
        }

        return (matches, continuation);
    });

    private static async Task<KvError> ErrorAsync(DataNode node, IndexQuery query) => (await Assert.ThrowsAsync<ListingFailedException>(() => AllAsync(node, query))).Error;
}
