using System.Text;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

public sealed class ListTests
{
    private static readonly ClusterOptions SmallPages = new() { ListPageKeys = 5, RequestTimeout = TimeSpan.FromSeconds(5) };
    private static readonly BucketName Bucket = new(DataCluster.Siblings, "b");

    [Fact]
    public void ListKeys_ShowsEveryLiveKeyOnce_AndNoDeletedOne() => Run(1, async cluster =>
    {
        var written = await FillAsync(cluster, 60);
        await cluster.Nodes[0].AskAsync(new KvRequest.Delete { Key = Story.Key(written[0]) });
        await cluster.Nodes[0].StoreAsync("v", key: new ObjectKey(DataCluster.Siblings, "other", "not mine"));
        await cluster.WaitAsync(1);
        var listed = await KeysAsync(cluster.Nodes[2]);
        Assert.Equal(written.Skip(1).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    });

    [Fact]
    public void ListBuckets_ShowsEachOnce() => Run(2, async cluster =>
    {
        for (var number = 0; number < 20; number++)
        {
            await cluster.Nodes[0].StoreAsync("v", key: new ObjectKey(DataCluster.Siblings, $"bucket{number % 4}", $"k{number}"));
        }

        await cluster.WaitAsync(1);
        var listed = await NamesAsync(cluster.Nodes[1], client => client.ListBucketsAsync(DataCluster.Siblings, null, CancellationToken.None));
        Assert.Equal(["bucket0", "bucket1", "bucket2", "bucket3"], listed.Order(StringComparer.Ordinal));
    });

    [Fact]
    public void ListKeys_WithANodeDown_IsCoveredByTheOthers() => Run(3, async cluster =>
    {
        var written = await FillAsync(cluster, 40);
        cluster.Nodes[4].Kill();
        cluster.Detect();
        Assert.Equal(written.Order(StringComparer.Ordinal), (await KeysAsync(cluster.Nodes[0])).Order(StringComparer.Ordinal));
    });

    [Fact]
    public void ListKeys_WithAVnodeThatFailsMidway_IsCoveredByOthersAndShowsNoneTwice() => Run(4, async cluster =>
    {
        var written = await FillAsync(cluster, 60);
        var pages = 0;
        cluster.Network.Options = cluster.Network.Options with { Duplication = 0.2 };
        cluster.Network.Drop = (_, to, request) =>
        {
            if (request is PeerRequest.VnodeList { Cursor: > 0 } && ++pages == 3 && cluster.Node(to).IsUp)
            {
                cluster.Node(to).Kill();
            }

            return false;
        };
        var listed = await KeysAsync(cluster.Nodes[0]);
        Assert.Equal(written.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Contains(cluster.Nodes, node => !node.IsUp);
    });

    [Fact]
    public void ListKeys_WithTooManyNodesDown_FailsAndIsNotPartial() => Run(5, async cluster =>
    {
        await FillAsync(cluster, 20);
        foreach (var node in cluster.Nodes.Skip(2))
        {
            node.Kill();
        }

        cluster.Detect();
        var failure = await Assert.ThrowsAsync<ListingFailedException>(() => KeysAsync(cluster.Nodes[0]));
        Assert.IsType<KvError.InsufficientVnodes>(failure.Error);
    });

    [Fact]
    public void ListKeys_PastItsTimeout_Fails() => Run(6, async cluster =>
    {
        await FillAsync(cluster, 20);
        cluster.Network.Drop = (_, _, request) => request is PeerRequest.VnodeList;
        var failure = await Assert.ThrowsAsync<ListingFailedException>(() => NamesAsync(
            cluster.Nodes[0], client => client.ListKeysAsync(Bucket, TimeSpan.FromSeconds(1), CancellationToken.None)));
        Assert.True(failure.Error.IsRetryable);
    });

    [Fact]
    public void ListKeys_OfAnUnknownType_Fails() => Run(7, async cluster =>
    {
        var failure = await Assert.ThrowsAsync<ListingFailedException>(() => NamesAsync(
            cluster.Nodes[0], client => client.ListKeysAsync(new BucketName("nope", "b"), null, CancellationToken.None)));
        Assert.Equal(new KvError.UnknownBucketType("nope"), failure.Error);
    });

    [Fact]
    public void ListKeys_ThatNobodyReadsOn_StopsAskingVnodes() => Run(8, async cluster =>
    {
        await FillAsync(cluster, 200);
        var node = cluster.Nodes[0];
        var pages = await node.Context.Enter(async () =>
        {
            await foreach (var page in node.Client.ListKeysAsync(Bucket, null, CancellationToken.None))
            {
                return page.Count;
            }

            return 0;
        });
        Assert.InRange(pages, 1, 5);
        await cluster.WaitAsync(1);
        var asked = cluster.Network.Sent;
        await cluster.WaitAsync(5);
        Assert.Equal(asked, cluster.Network.Sent);
        Assert.Equal(0, node.Statistics.ActiveRequests);
    });

    [Fact]
    public void ListKeys_ThatNobodyReadsOn_LeavesNoFoldOpen() => Run(9, async cluster =>
    {
        await FillAsync(cluster, 200);
        var node = cluster.Nodes[0];
        await node.Context.Enter(async () =>
        {
            await using var pages = node.Client.ListKeysAsync(Bucket, null, CancellationToken.None).GetAsyncEnumerator();
            Assert.True(await pages.MoveNextAsync());
            return true;
        });
        Assert.Contains(cluster.Nodes, other => other.Volume.OpenFolds > 0);
        await cluster.WaitAsync(SmallPages.ListingIdleTimeout.TotalSeconds + 2);
        Assert.All(cluster.Nodes, other => Assert.Equal(0, other.Volume.OpenFolds));
    });

    [Fact]
    public void Listings_BeyondTheirBound_AreRefused_UntilOneEnds() => DataCluster.Run(
        10,
        5,
        async cluster =>
        {
            await FillAsync(cluster, 60);
            var node = cluster.Nodes[0];
            await node.Context.Enter(async () =>
            {
                await using var pages = node.Client.ListKeysAsync(Bucket, null, CancellationToken.None).GetAsyncEnumerator();
                Assert.True(await pages.MoveNextAsync());
                var failure = await Assert.ThrowsAsync<ListingFailedException>(() => KeysAsync(node));
                Assert.Equal(new KvError.Overload(Indeterminate: false), failure.Error);
                return true;
            });
            Assert.Equal(60, (await KeysAsync(node)).Count);
        },
        options: SmallPages with { MaxListings = 1 });

    [Fact]
    public void AListing_WhoseReaderStandsStill_KeepsItsPlaceToItsDeadlineAtMost() => DataCluster.Run(
        11,
        5,
        async cluster =>
        {
            await FillAsync(cluster, 120);
            var node = cluster.Nodes[0];
            await node.Context.Enter(async () =>
            {
                await using var pages = node.Client.ListKeysAsync(Bucket, TimeSpan.FromSeconds(4), CancellationToken.None).GetAsyncEnumerator();
                Assert.True(await pages.MoveNextAsync());
                Assert.Equal(new KvError.Overload(Indeterminate: false), (await Assert.ThrowsAsync<ListingFailedException>(() => KeysAsync(node))).Error);
                await Task.Delay(TimeSpan.FromSeconds(5), node.Context.Time);
                Assert.Equal(120, (await KeysAsync(node)).Count);
                var failure = await Assert.ThrowsAsync<ListingFailedException>(async () =>
                {
                    while (await pages.MoveNextAsync())
                    {
                    }
                });
                Assert.Equal(new KvError.Timeout(Indeterminate: false), failure.Error);
                return true;
            });
            Assert.Equal(120, (await KeysAsync(node)).Count);
        },
        options: SmallPages with { MaxListings = 1 });

    private static void Run(int seed, Func<DataCluster, Task> story) => DataCluster.Run(seed, 5, story, options: SmallPages);

    private static async Task<List<string>> FillAsync(DataCluster cluster, int count)
    {
        var keys = Enumerable.Range(0, count).Select(number => $"k{number}").ToList();
        foreach (var key in keys)
        {
            await cluster.Nodes[0].StoreAsync("v", key: Story.Key(key));
        }

        await cluster.WaitAsync(1);
        return keys;
    }

    private static Task<List<string>> KeysAsync(DataNode node) => NamesAsync(node, client => client.ListKeysAsync(Bucket, null, CancellationToken.None));

    private static Task<List<string>> NamesAsync(DataNode node, Func<KvClient, IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>>> list) =>
        node.Context.Enter(async () =>
        {
            var names = new List<string>();
            await foreach (var page in list(node.Client))
            {
                names.AddRange(page.Select(name => Encoding.UTF8.GetString(name.Span)));
            }

            return names;
        });
}
