using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Operator.Abstractions;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Clusters;

/// <summary>What passes over a Cluster object leave on the API server: a status where something changed, and an event where a person should hear of it.</summary>
public sealed class ClusterControllerTests
{
    private static readonly Transition Told = new(true, "NodesDown", "Degraded is True", "Degraded True");
    private readonly FakeKubernetes api = new() { PageSize = 1000 };
    private readonly FakeTimeProvider time = new(Build.Now);
    private readonly SimulatedCluster world = new();

    [Fact]
    public async Task Events_TellOfConditionsThatChange_AndAQuietClusterWritesNothing()
    {
        PutCluster();
        for (var i = 0; i < 40; i++)
        {
            world.MovePartitions(1);
            await PassAsync();
        }

        Assert.Equal("True", (await ReadAsync()).Status.Conditions!.Single(condition => condition.Type == Conditions.Ready).Status);
        var ready = Assert.Single(await EventsAsync(), one => one["message"]!.ToString().StartsWith("Ready is True", StringComparison.Ordinal));
        Assert.Equal(("Normal", "AsExpected", Build.Uid), (ready["type"]!.ToString(), ready["reason"]!.ToString(), ready["involvedObject"]!["uid"]!.ToString()));

        var (writes, events) = (api.Writes, (await EventsAsync()).Count);
        for (var i = 0; i < 5; i++)
        {
            await PassAsync();
        }

        Assert.Equal(writes, api.Writes);

        world.Down("example-1");
        for (var i = 0; i < 5; i++)
        {
            await PassAsync();
        }

        var news = (await EventsAsync()).Skip(events).Select(one => $"{one["type"]} {one["message"]}").ToList();
        Assert.Single(news, text => text.StartsWith("Warning Degraded is True", StringComparison.Ordinal) && text.Contains("example-1", StringComparison.Ordinal));
        Assert.Equal(news.Distinct(), news);
    }

    [Fact]
    public async Task Event_ThatCannotBeWritten_IsNoFailure()
    {
        await Events().PublishAsync(Build.Cluster(), Told, TestContext.Current.CancellationToken);
        // Told again it has the same name, and is refused.
        await Events().PublishAsync(Build.Cluster(), Told, TestContext.Current.CancellationToken);
        Assert.Single(await EventsAsync());
    }

    /// <summary>The operator ends when it has told and not yet written: the next one finds the same transition.</summary>
    [Fact]
    public async Task Event_OfAStatusThatWasNotWritten_IsNotLost_AndToldOnce()
    {
        PutCluster();
        for (var i = 0; i < 40; i++)
        {
            world.MovePartitions(1);
            await PassAsync();
        }

        world.Down("example-1");
        api.BeforePatch = () => throw new OperatorStoppedException();
        await Assert.ThrowsAsync<OperatorStoppedException>(PassAsync);
        await IsToldOnceAsync();

        api.BeforePatch = null;
        await PassAsync();
        await IsToldOnceAsync();
        Assert.Equal("True", (await ReadAsync()).Status.Conditions!.Single(condition => condition.Type == Conditions.Degraded).Status);

        async Task IsToldOnceAsync() =>
            Assert.Single(await EventsAsync(), one => one["message"]!.ToString().StartsWith("Degraded is True: down as the others see it: example-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Event_OfAnEndlessMessage_IsCut()
    {
        await Events().PublishAsync(Build.Cluster(), Told with { Message = new string('x', 5000) }, TestContext.Current.CancellationToken);
        Assert.Equal(1000, Assert.Single(await EventsAsync())["message"]!.ToString().Length);
    }

    [Fact]
    public async Task Namespace_ThatIsBeingDeleted_IsNoFailure_AndNobodyIsToldOfIt()
    {
        PutCluster();
        api.IsEnding = true;
        var log = new CollectedLog<EventRecorder>();
        var kubernetes = new KubernetesWorld(api, Operator.Manifests.NodeImage.Parse("registry.example/kv-node:1", "latest"));
        var reconciler = new ClusterReconciler(new ClusterObserver(kubernetes, world), new ClusterApplier(kubernetes, world), time, PassIntervals.Kubernetes);
        var events = new EventRecorder(api, time, log);
        var result = await new ClusterController(reconciler, new PassReporter(new StatusWriter(api), events)).ReconcileAsync(await ReadAsync(), TestContext.Current.CancellationToken);
        await events.PublishAsync(Build.Cluster(), Told, TestContext.Current.CancellationToken);
        Assert.True(result.IsSuccess);
        Assert.Empty(log.Lines);
        Assert.Equal(Conditions.Reasons.Deleting, (await ReadAsync()).Status.Conditions!.Single(condition => condition.Type == Conditions.Progressing).Reason);
    }

    /// <summary>A pod takes its settings as variables, and a node overlooks one that it does not know: it must not restart for it.</summary>
    [Fact]
    public async Task Setting_ThatNoNodeKnows_IsRefusedByAName_AndNothingRestarts()
    {
        var kubernetes = new SimulatedKubernetes();
        var simulated = new SimulatedOperator(kubernetes, time);
        kubernetes.Api.Put(ResourceKind.Cluster, Json(new JsonObject { ["nodes"] = 3 }));
        await PassesAsync();
        var (sets, restarts) = (kubernetes.Read(ResourceKind.StatefulSet, "example")!.ToJsonString(), kubernetes.Nodes.Restarts);
        kubernetes.Edit(ResourceKind.Cluster, "example", spec => spec["config"] = new JsonObject { ["handof-concurrency"] = "4" });
        await PassesAsync();
        Assert.Equal((sets, restarts), (kubernetes.Read(ResourceKind.StatefulSet, "example")!.ToJsonString(), kubernetes.Nodes.Restarts));
        var valid = kubernetes.Read(ResourceKind.Cluster, "example")!["status"]!["conditions"]!.AsArray().Single(one => one!["type"]!.ToString() == Conditions.Valid)!;
        Assert.Equal(("False", Conditions.Reasons.InvalidSpec), (valid["status"]!.ToString(), valid["reason"]!.ToString()));
        Assert.Equal("spec.config.handof-concurrency: there is no such setting; did you mean handoff-concurrency?", valid["message"]!.ToString());
        Assert.Null(kubernetes.Read(ResourceKind.ConfigMap, "example-config")!["data"]!["KV_HANDOF_CONCURRENCY"]);

        // What somebody deletes comes back, and a cluster that is to grow grows.
        kubernetes.Api.Delete(ResourceKind.Service, "example-headless");
        kubernetes.Edit(ResourceKind.Cluster, "example", spec => spec["nodes"] = 4);
        await PassesAsync();
        Assert.NotNull(kubernetes.Read(ResourceKind.Service, "example-headless"));
        Assert.Equal((4, restarts), (kubernetes.Read(ResourceKind.Cluster, "example")!["status"]!["readyNodes"]!.GetValue<int>(), kubernetes.Nodes.Restarts));

        async Task PassesAsync()
        {
            for (var pass = 0; pass < 60; pass++)
            {
                await simulated.PassAsync(TestContext.Current.CancellationToken);
                kubernetes.Step(TimeSpan.FromSeconds(10));
                time.Advance(TimeSpan.FromSeconds(10));
            }
        }
    }

    /// <summary>What the API server refuses it refuses for long, and each pass asks much of it; what a node answers is news.</summary>
    [Fact]
    public async Task Failure_OfNodes_IsTriedAgainBeforeLong_AndOneOfTheApiServerAsTheQueueSays()
    {
        PutCluster();
        world.Loses = _ => true;
        var result = await PassAsync();
        for (var pass = 0; pass < 20 && result.IsSuccess; pass++)
        {
            result = await PassAsync();
        }

        Assert.Equal((false, PassIntervals.Kubernetes.Idle), (result.IsSuccess, result.LongestBackoff));

        api.FailList = _ => new KubernetesApiException(System.Net.HttpStatusCode.TooManyRequests, "too many requests");
        var kubernetes = new KubernetesWorld(api, Operator.Manifests.NodeImage.Parse("registry.example/kv-node:1", "latest"));
        var reconciler = new ClusterReconciler(new ClusterObserver(kubernetes, world), new ClusterApplier(kubernetes, world), time, PassIntervals.Kubernetes);
        var refused = await new ClusterController(reconciler, new PassReporter(new StatusWriter(api), Events())).ReconcileAsync(await ReadAsync(), TestContext.Current.CancellationToken);
        Assert.Equal((false, (TimeSpan?)null), (refused.IsSuccess, refused.LongestBackoff));
    }

    private void PutCluster() => api.Put(ResourceKind.Cluster, Json(new JsonObject { ["nodes"] = 3 }));

    private static JsonObject Json(JsonObject spec) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = "example", ["namespace"] = "default", ["uid"] = Build.Uid, ["generation"] = 1 },
        ["spec"] = spec,
    };

    private EventRecorder Events() => new(api, time, NullLogger<EventRecorder>.Instance);

    private async Task<ReconciliationResult<Cluster>> PassAsync()
    {
        time.Advance(TimeSpan.FromSeconds(10));
        world.Elapse(TimeSpan.FromSeconds(10));
        var reconciler = new ClusterReconciler(new ClusterObserver(world, world), new ClusterApplier(world, world), time, PassIntervals.Kubernetes);
        return await new ClusterController(reconciler, new PassReporter(new StatusWriter(api), Events())).ReconcileAsync(await ReadAsync(), TestContext.Current.CancellationToken);
    }

    private async Task<Cluster> ReadAsync() =>
        ((JsonNode)(await api.GetAsync(ResourceKind.Cluster, "default", "example", TestContext.Current.CancellationToken))!).Deserialize<Cluster>(KvJson.Options)!;

    /// <summary>In the order that they were written.</summary>
    private async Task<IReadOnlyList<JsonObject>> EventsAsync() =>
        [.. (await api.ListAsync(ResourceKind.Event, "default", null, null, TestContext.Current.CancellationToken)).Items.OrderBy(one => int.Parse(one["metadata"]!["resourceVersion"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture))];
}
