using System.Text;
using Kv.Cluster.Coordination;
using Kv.Core.Buckets;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>MapReduce jobs by way of a cluster: inputs of each kind, phases behind each other, and what ends one early.</summary>
public sealed class MapReduceTests
{
    private const string Erlang = "\"language\":\"erlang\",\"module\":\"riak_kv_mapreduce\"";
    private const string Value = "{\"map\":{" + Erlang + ",\"function\":\"map_object_value\"}}";
    private const string ToInteger = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_string_to_integer\"}}";
    private const string Sum = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_sum\"}}";
    private const string Count = "{\"reduce\":{" + Erlang + ",\"function\":\"reduce_count_inputs\"}}";
    private const int Objects = 60;

    private static readonly ClusterOptions SmallPages = new() { ListPageKeys = 7, MapReduceReads = 4, RequestTimeout = TimeSpan.FromSeconds(5) };

    public static TheoryData<string, string, string> Jobs => new()
    {
        { "a key list", $"[[\"b\",\"3\"],[\"b\",\"nosuch\"],[\"b\",\"12\",\"data\"]]|[{Value}]", "0: \"3\", not_found [\"b\",\"nosuch\"], \"12\"" },
        { "a bucket", $"\"b\"|[{Value},{ToInteger},{Sum}]", $"2: {Objects * (Objects - 1) / 2}" },
        { "a bucket, counted without a read", $"\"b\"|[{Count}]", $"0: {Objects}" },
        { "an empty bucket", $"\"none\"|[{Value},{Sum}]", "1: 0" },
        { "key filters", $"{{\"bucket\":\"b\",\"key_filters\":[[\"string_to_int\"],[\"less_than\",5]]}}|[{Value},{ToInteger},{Sum}]", "2: 10" },
        { "an index", $"{{\"bucket\":[\"ordered\",\"b\"],\"index\":\"age_int\",\"start\":3,\"end\":5}}|[{Value}]", "0: \"3\", \"4\", \"5\"" },
        { "an index's bucket", $"{{\"bucket\":[\"ordered\",\"b\"],\"index\":\"$bucket\",\"key\":\"b\"}}|[{Count}]", "0: 10" },
        { "no phases", "[[\"b\",\"k\"],[\"b\",\"l\",1],[\"b\",\"m\",null,\"ordered\"]]|[]", "0: [\"b\",\"k\"], [\"b\",\"l\"], [\"b\",\"m\",null,\"ordered\"]" },
        { "links", $"[[\"links\",\"from\"]]|[{{\"link\":{{\"bucket\":\"b\",\"tag\":\"a\"}}}},{Value}]", "1: \"1\", \"2\"" },
        { "links of links", $"[[\"links\",\"from\"]]|[{{\"link\":{{\"keep\":true,\"tag\":\"up\"}}}},{{\"link\":{{}}}}]", "0: [\"links\",\"top\",\"up\"]; 1: [\"b\",\"5\",\"x\"]" },
        { "two kept", $"[[\"b\",\"1\"],[\"b\",\"2\"]]|[{Value[..^2]},\"keep\":true}}}},{ToInteger},{Sum}]", "0: \"1\", \"2\"; 2: 3" },
        { "none kept", $"[[\"b\",\"1\"]]|[{Value[..^2]},\"keep\":false}}}}]", "" },
        { "reduced names as inputs", $"[[\"b\",\"1\"],[\"b\",\"2\"]]|[{{\"reduce\":{{{Erlang},\"function\":\"reduce_identity\"}}}},{Value}]", "1: \"1\", \"2\"" },
        { "values as inputs", $"[[\"names\",\"k\"]]|[{{\"map\":{{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}}},{Value}]", "1: \"7\"" },
    };

    public static TheoryData<string, string, string> Failures => new()
    {
        { "an unknown type", $"[\"nosuch\",\"b\"]|[{Value}]", "BucketType = nosuch" },
        { "an unknown type of a key", $"[[\"b\",\"k\",null,\"nosuch\"]]|[{Value}]", "BucketType = nosuch" },
        { "no indexes", $"{{\"bucket\":\"b\",\"index\":\"age_int\",\"key\":3}}|[{Value}]", "Backend = faster" },
        { "no names", $"[[\"b\",\"1\"]]|[{Value},{Value}]", "Phase = 1, Reason = the phase takes names of objects, [bucket, key] with key data and type or without, Input = \"1\"" },
        { "an empty key", $"[[\"b\",\"\"]]|[{Value}]", "Phase = 0, Reason = the phase takes names of objects, [bucket, key] with key data and type or without, Input = [\"b\",\"\"]" },
        { "no numbers", $"[[\"b\",\"1\"]]|[{Value},{Sum}]", "Phase = 1, Reason = badarith: reduce_sum adds numbers, and \"1\" cannot be added" },
        { "no JSON", $"[[\"links\",\"top\"]]|[{{\"map\":{{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}}}]", "Phase = 0, Reason = the value is not JSON that can be taken" },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public void AJob_GivesItsResults(string what, string job, string results) => Run(1, async cluster =>
        Assert.Equal((what, results), (what, await ResultsAsync(cluster.Nodes[1], job))));

    [Theory]
    [MemberData(nameof(Failures))]
    public void AJobThatCannotGoOn_SaysWhy(string what, string job, string why) => Run(2, async cluster =>
        Assert.Contains(why, $"{what} {await FailureAsync(cluster.Nodes[0], job)}"));

    [Fact]
    public void WithANodeDown_TheOthersAnswer() => Run(3, async cluster =>
    {
        cluster.Nodes[4].Kill();
        cluster.Detect();
        Assert.Equal($"2: {Objects * (Objects - 1) / 2}", await ResultsAsync(cluster.Nodes[0], $"\"b\"|[{Value},{ToInteger},{Sum}]"));
    });

    [Fact]
    public void WhatWasDeleted_IsNotThere() => Run(4, async cluster =>
    {
        await cluster.Nodes[0].AskAsync(new KvRequest.Delete { Key = new ObjectKey("default", "b", "7") });
        Assert.Equal("0: not_found [\"b\",\"7\"]", await ResultsAsync(cluster.Nodes[2], $"[[\"b\",\"7\"]]|[{Value}]"));
    });

    [Fact]
    public void ABucketThatTheClientMayNotRead_EndsIt_WhereverItsNameComesFrom() => Run(5, async cluster =>
    {
        var caller = new MapReduceCaller { WhyDenied = bucket => bucket == new BucketName("default", "b") ? "not b" : null };
        foreach (var job in new[] { $"[[\"b\",\"1\"]]|[{Value}]", $"[[\"names\",\"k\"]]|[{{\"map\":{{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}}},{Value}]" })
        {
            Assert.Equal(new MapReduceFailure.Denied("not b"), await FailureAsync(cluster.Nodes[0], job, caller));
        }
    });

    [Fact]
    public void MoreThanAJobMayHold_EndsIt() => Run(
        6,
        async cluster => Assert.Equal(new MapReduceFailure.TooMuch(2000), await FailureAsync(cluster.Nodes[0], $"\"b\"|[{{\"reduce\":{{{Erlang},\"function\":\"reduce_sort\"}}}}]")),
        SmallPages with { MapReduceHeldBytes = 2000 });

    [Fact]
    public void WithoutRoomForWhatItHolds_ItEnds_AndItAsksForNoMoreThanItHolds() => Run(7, async cluster =>
    {
        var most = 0L;
        var caller = new MapReduceCaller { TryHold = bytes => (most = Math.Max(most, bytes)) < 5000 };
        Assert.Equal(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)), await FailureAsync(cluster.Nodes[0], $"\"b\"|[{{\"reduce\":{{{Erlang},\"function\":\"reduce_sort\"}}}}]", caller));
        most = 0;
        Assert.Equal($"0: {Objects}", await ResultsAsync(cluster.Nodes[0], $"\"b\"|[{Count}]", caller));
        Assert.InRange(most, 1, 4999);
    });

    [Fact]
    public void AJobOverItsTime_Ends() => Run(8, async cluster =>
    {
        cluster.Network.Drop = (_, _, _) => true;
        Assert.Equal(
            new MapReduceFailure.OfRequest(new KvError.Timeout(Indeterminate: false)),
            await FailureAsync(cluster.Nodes[0], $"[{string.Join(',', Enumerable.Range(0, Objects).Select(number => $"[\"b\",\"{number}\"]"))}]|[{Value}]", timeout: 800));
    });

    [Fact]
    public void MoreJobsThanTheNodeRuns_AreRefused_AndATakerThatGoesMakesRoom() => Run(
        9,
        async cluster =>
        {
            var node = cluster.Nodes[0];
            await node.Context.Enter(async () =>
            {
                var first = node.Client.MapReduceAsync(Job($"\"b\"|[{Value}]"), new MapReduceCaller(), CancellationToken.None).GetAsyncEnumerator();
                Assert.True(await first.MoveNextAsync());
                Assert.Equal(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)), await FailureAsync(node, $"\"b\"|[{Count}]"));
                await first.DisposeAsync();
                return true;
            });
            Assert.Equal($"0: {Objects}", await ResultsAsync(node, $"\"b\"|[{Count}]"));
            Assert.Equal(3, node.Statistics.LatencyMicroseconds(KvOperation.MapReduce).Count);
            Assert.Equal(1, node.Statistics.Failures(KvOperation.MapReduce));
        },
        SmallPages with { MaxMapReduceJobs = 1 });

    [Fact]
    public void ACancelledJob_Ends() => Run(10, async cluster =>
    {
        var node = cluster.Nodes[0];
        await node.Context.Enter(async () =>
        {
            using var gone = new CancellationTokenSource();
            await using var results = node.Client.MapReduceAsync(Job($"\"b\"|[{Value}]"), new MapReduceCaller(), gone.Token).GetAsyncEnumerator();
            Assert.True(await results.MoveNextAsync());
            gone.Cancel(); // not CancelAsync, which leaves the scheduler
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                while (await results.MoveNextAsync())
                {
                }
            });
            return true;
        });
    });

    /// <summary>With reads under way that listen for the end: to wait for those would go on elsewhere. Of a query none may be.</summary>
    [Theory]
    [InlineData("many keys", 11)]
    [InlineData("an index", 12)]
    public void ATakerThatGoes_EndsTheJobWithoutLeavingTheScheduler(string what, int seed) => Run(
        seed,
        async cluster =>
        {
            var node = cluster.Nodes[0];
            var keys = string.Join(',', Enumerable.Range(0, 200).Select(number => $"[\"b\",\"{number % Objects}\"]"));
            var job = what == "an index" ? $"{{\"bucket\":[\"ordered\",\"b\"],\"index\":\"$bucket\",\"key\":\"b\"}}|[]" : $"[{keys}]|[{Value}]";
            await node.Context.Enter(async () =>
            {
                var results = node.Client.MapReduceAsync(Job(job), new MapReduceCaller(), CancellationToken.None).GetAsyncEnumerator();
                Assert.True(await results.MoveNextAsync());
                var gone = results.DisposeAsync();
                Assert.True(gone.IsCompleted, what);
                await gone;
                return true;
            });
        },
        SmallPages with { ListPageKeys = what == "an index" ? 2 : 1000 });

    [Fact]
    public void AJobLooksAtItsTime_BetweenTheKeysOfAPage() => Run(
        13,
        async cluster =>
        {
            var node = cluster.Nodes[0];
            var time = new CountedTime();
            await node.Context.Enter(async () =>
            {
                var job = Job($"{{\"bucket\":\"b\",\"key_filters\":[[\"eq\",\"none\"]]}}|[{Count}]");
                var run = new MapReduceRun(node.Client, job, new MapReduceCaller(), Deadline.After(time, TimeSpan.FromSeconds(10 * Objects)), time, cluster.Options, CancellationToken.None);
                await foreach (var some in run.RunAsync())
                {
                    Assert.Equal(["0"], some.Terms.Select(term => term.ToString()));
                }

                return true;
            });
            Assert.InRange(time.Looks, Objects, 10 * Objects);
        },
        SmallPages with { ListPageKeys = 1000 });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Results_ComeInPagesOfFewBytes(bool isSorted) => Run(
        14,
        async cluster =>
        {
            var node = cluster.Nodes[0];
            var keys = string.Join(',', Enumerable.Range(0, 40).Select(number => $"[\"b\",\"{number}\",\"{new string('x', 20_000)}\"]"));
            var query = isSorted ? $"{{\"reduce\":{{{Erlang},\"function\":\"reduce_sort\"}}}}" : "";
            var pages = new List<long>();
            await node.Context.Enter(async () =>
            {
                await foreach (var some in node.Client.MapReduceAsync(Job($"[{keys}]|[{query}]"), new MapReduceCaller(), CancellationToken.None))
                {
                    pages.Add(some.Terms.Sum(term => term.HeldBytes));
                }

                return true;
            });
            Assert.InRange(pages.Sum(), 40 * 20_000, 50 * 20_000);
            Assert.InRange(pages.Max(), 20_000, 256 * 1024);
        },
        SmallPages with { ListPageKeys = 1000 });

    /// <summary>The job itself is one of the two requests.</summary>
    [Fact]
    public void ReadsThatTheNodeHasNoRoomForNow_AreDoneAgainOneByOne() => Run(
        15,
        async cluster => Assert.Equal(
            $"2: {Objects * (Objects - 1) / 2}",
            await ResultsAsync(cluster.Nodes[0], $"[{string.Join(',', Enumerable.Range(0, Objects).Select(number => $"[\"b\",\"{number}\"]"))}]|[{Value},{ToInteger},{Sum}]")),
        SmallPages with { MaxConcurrentRequests = 2 });

    [Fact]
    public void ReadsThatTheNodeNeverHasRoomFor_EndTheJob_AsOverload() => Run(
        16,
        async cluster => Assert.Equal(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)), await FailureAsync(cluster.Nodes[0], $"[[\"b\",\"1\"]]|[{Value}]")),
        SmallPages with { MaxConcurrentRequests = 1 });

    [Fact]
    public void LargeObjects_AreNotReadFarAhead() => Run(
        17,
        async cluster =>
        {
            var node = cluster.Nodes[0];
            for (var number = 0; number < 20; number++)
            {
                await PutAsync(cluster, new ObjectKey("default", "large", $"{number}"), new string('x', 100_000), ObjectMetadata.Empty);
            }

            await cluster.WaitAsync(1);
            var before = node.Statistics.LatencyMicroseconds(KvOperation.Get).Count;
            await node.Context.Enter(async () =>
            {
                var job = Job($"[{string.Join(',', Enumerable.Range(0, 20).Select(number => $"[\"large\",\"{number}\"]"))}]|[{Value}]");
                var results = node.Client.MapReduceAsync(job, new MapReduceCaller(), CancellationToken.None).GetAsyncEnumerator();
                Assert.True(await results.MoveNextAsync());
                // Three go on together, and one is read ahead.
                Assert.InRange(node.Statistics.LatencyMicroseconds(KvOperation.Get).Count - before + node.Client.Active - 1, 3, 4);
                await results.DisposeAsync();
                return true;
            });
        },
        SmallPages with { ListPageKeys = 1000, MapReduceReads = 16, MapReduceReadBytes = 200_000 });

    /// <summary>The value is no JSON, as would be found while it is read: there is no room for what it may become.</summary>
    [Fact]
    public void RoomForWhatAFunctionMakes_IsThereBeforeItIs() => Run(18, async cluster =>
    {
        await PutAsync(cluster, new ObjectKey("default", "json", "k"), $"[{string.Concat(Enumerable.Repeat("[],", 200))}nonsense", ObjectMetadata.Empty);
        await cluster.WaitAsync(1);
        const string Nonsense = "[[\"json\",\"k\"]]|[{\"map\":{\"language\":\"javascript\",\"name\":\"Riak.mapValuesJson\"}}]";
        Assert.Equal(
            new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)),
            await FailureAsync(cluster.Nodes[0], Nonsense, new MapReduceCaller { TryHold = bytes => bytes < 10_000 }));
        Assert.IsType<MapReduceFailure.OfPhase>(await FailureAsync(cluster.Nodes[0], Nonsense));
    });

    private static void Run(int seed, Func<DataCluster, Task> story, ClusterOptions? options = null) => DataCluster.Run(
        seed,
        5,
        async cluster =>
        {
            await FillAsync(cluster);
            await story(cluster);
        },
        options: options ?? SmallPages);

    /// <summary>Objects `0` to `59` of bucket `b` with their names for values, ten of them in a type with indexes, and some with links.</summary>
    private static async Task FillAsync(DataCluster cluster)
    {
        cluster.SetType("ordered", BucketProps.NewType with { Backend = BucketProps.OrderedBackend });
        for (var number = 0; number < Objects; number++)
        {
            await PutAsync(cluster, new ObjectKey("default", "b", $"{number}"), $"{number}", ObjectMetadata.Empty);
        }

        for (var number = 0; number < 10; number++)
        {
            await PutAsync(cluster, new ObjectKey("ordered", "b", $"{number}"), $"{number}", new ObjectMetadata { Indexes = [new("age_int", $"{number}")] });
        }

        await PutAsync(cluster, new ObjectKey("default", "links", "from"), "from", new ObjectMetadata { Links = [new("b", "2", "a"), new("b", "1", "a"), new("b", "3", "other"), new("links", "top", "up")] });
        await PutAsync(cluster, new ObjectKey("default", "links", "top"), "top", new ObjectMetadata { Links = [new("b", "5", "x")] });
        await PutAsync(cluster, new ObjectKey("default", "names", "k"), "[\"b\",\"7\"]", ObjectMetadata.Empty);
        await cluster.WaitAsync(1);
    }

    private static async Task PutAsync(DataCluster cluster, ObjectKey key, string value, ObjectMetadata metadata) => Assert.IsType<KvOutcome.Stored>(await cluster.Nodes[0].AskAsync(
        new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = Encoding.UTF8.GetBytes(value), Metadata = metadata } }));

    /// <summary>From `inputs|query`.</summary>
    private static MapReduceJob Job(string text, int timeout = 60_000)
    {
        var (inputs, query) = (text[..text.IndexOf('|', StringComparison.Ordinal)], text[(text.IndexOf('|', StringComparison.Ordinal) + 1)..]);
        var json = $"{{\"inputs\":{inputs},\"query\":{query},\"timeout\":{timeout}}}";
        Assert.True(MapReduceJobReader.TryRead(Encoding.UTF8.GetBytes(json), 1 << 20, out var job, out var problem), $"{json}: {problem}");
        return job;
    }

    private static Task<string> ResultsAsync(DataNode node, string job, MapReduceCaller? caller = null, int timeout = 60_000) => node.Context.Enter(async () =>
    {
        var results = new SortedDictionary<int, List<string>>();
        await foreach (var some in node.Client.MapReduceAsync(Job(job, timeout), caller ?? new MapReduceCaller(), CancellationToken.None))
        {
            results.TryAdd(some.Phase, []);
            results[some.Phase].AddRange(some.Terms.Select(term => term.ToString()));
        }

        return string.Join("; ", results.Select(phase => $"{phase.Key}: {string.Join(", ", phase.Value)}"));
    });

    private static async Task<MapReduceFailure> FailureAsync(DataNode node, string job, MapReduceCaller? caller = null, int timeout = 60_000) =>
        (await Assert.ThrowsAsync<MapReduceFailedException>(() => ResultsAsync(node, job, caller, timeout))).Failure;

    /// <summary>Goes on by a second with each look.</summary>
    private sealed class CountedTime : TimeProvider
    {
        public long Looks { get; private set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => ++Looks;
    }
}
