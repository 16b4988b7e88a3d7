using System.Text.Json.Nodes;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

/// <summary>What brings an object its pass, and what ends the operator.</summary>
public sealed class OperatorHostTests : IAsyncLifetime
{
    private const int WatchesOfANamespace = 8;
    private readonly FakeKubernetes api = new();
    private readonly FakeTimeProvider time = new(Build.Now);
    private readonly OperatorMetrics metrics = new();
    private readonly CancellationTokenSource stop = new();
    private readonly StubController<Cluster> clusters = new();
    private readonly StubController<BucketType> types = new();
    private Task<int> running = Task.FromResult(0);

    public static TheoryData<string> Children => ["StatefulSet", "Pod", "Service", "ConfigMap", "ServiceAccount", "PodDisruptionBudget"];

    [Fact]
    public async Task ObjectsThatAreThere_AndThoseThatChange_GetTheirPass()
    {
        api.Put(ResourceKind.Cluster, "one");
        api.Put(ResourceKind.BucketType, "type");
        await StartAsync();
        await clusters.PassedAsync(1);
        await types.PassedAsync(1);

        api.Put(ResourceKind.Cluster, "two");
        await clusters.PassedAsync(2);
        api.Put(ResourceKind.BucketType, "type");
        await types.PassedAsync(2);
        Assert.Equal(["one", "two"], clusters.Passes);
        Assert.Equal(["type", "type"], types.Passes);
    }

    /// <summary>Somebody's edit of what a Cluster owns is put right at once, and not when the Cluster is looked at next.</summary>
    [Theory]
    [MemberData(nameof(Children))]
    public async Task Child_ThatChangesOrGoes_BringsItsClusterAPass(string kind)
    {
        var child = KindOf(kind);
        api.Put(ResourceKind.Cluster, "example");
        api.Put(ResourceKind.Cluster, "other");
        await StartAsync();
        await clusters.PassedAsync(2);

        Own(child, "a-child", "example");
        await clusters.PassedAsync(3);
        Own(child, "a-child", "example");
        await clusters.PassedAsync(4);
        api.Remove(child, "a-child");
        await clusters.PassedAsync(5);
        Assert.Equal(["example", "example", "example"], clusters.Passes.Skip(2));
    }

    /// <summary>An outage, or versions that are too old by now: what vanished meanwhile is found by the next list alone.</summary>
    [Theory]
    [MemberData(nameof(Children))]
    public async Task Child_ThatVanishesUnseen_BringsItsClusterAPass(string kind)
    {
        api.Put(ResourceKind.Cluster, "example");
        api.Put(ResourceKind.Cluster, "other");
        await StartAsync();
        await clusters.PassedAsync(2);
        Own(KindOf(kind), "a-child", "example");
        await clusters.PassedAsync(3);

        api.VanishUnseen(KindOf(kind), "a-child");
        await WatchingAsync();
        await clusters.PassedAsync(4);
        Assert.Equal(["example", "example"], clusters.Passes.Skip(2));
    }

    [Fact]
    public async Task Watch_ThatMeetsAnythingUnforeseen_IsTakenUpAgain()
    {
        await StartAsync();
        api.BreakWatches(new InvalidOperationException("no such field"));
        await WatchingAsync();
        api.Put(ResourceKind.Cluster, "example");
        await clusters.PassedAsync(1);
        Assert.False(running.IsCompleted);
    }

    /// <summary>A loop that ends though nobody asked for it ends the operator, so that another one begins: half of one would look as if all were well.</summary>
    [Fact]
    public async Task Loop_ThatEndsByItself_EndsTheOperator_AndGivesTheLeaseBack()
    {
        await StartAsync();
        api.FailList = _ => new InvalidOperationException("no such field");
        var (writes, idle) = (-1, 0);
        await Poll.UntilAsync(() => running.IsCompleted, meanwhile: () =>
        {
            // No faster than the lease is renewed, so that it is not lost meanwhile.
            if (api.Writes > writes || ++idle % 20 == 0)
            {
                writes = api.Writes;
                time.Advance(LeaderElection.RetryPeriod);
            }
        });

        Assert.True(running.IsCompleted);
        Assert.Equal(1, await running);
        Assert.Equal("", (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!["spec"]!["holderIdentity"]!.ToString());
    }

    [Fact]
    public async Task Object_OfWhichNobodyTells_GetsItsPassAllTheSame()
    {
        api.Put(ResourceKind.Cluster, "example");
        api.Put(ResourceKind.BucketType, "type");
        await StartAsync();
        await clusters.PassedAsync(1);
        await types.PassedAsync(1);
        for (var minutes = 0; minutes < 12; minutes += 3)
        {
            // Streams that end in good order are taken up again, and list nothing: what comes, comes by the clock.
            time.Advance(TimeSpan.FromMinutes(3));
            api.BreakWatches();
            await WatchingAsync();
        }

        await clusters.PassedAsync(2);
        await types.PassedAsync(2);
    }

    [Fact]
    public async Task Lease_ThatIsLost_EndsTheOperator_AndItsPasses()
    {
        await StartAsync();
        var lease = (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!;
        lease["spec"]!["holderIdentity"] = "thief";
        api.Put(ResourceKind.Lease, lease);
        await Poll.UntilAsync(() => running.IsCompleted, meanwhile: () => time.Advance(LeaderElection.RetryPeriod));

        Assert.Equal(1, await running);
        api.Put(ResourceKind.Cluster, "example");
        Assert.Empty(clusters.Passes);
        Assert.Equal("thief", (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!["spec"]!["holderIdentity"]!.ToString());
    }

    [Fact]
    public async Task End_ThatIsAskedFor_GivesTheLeaseBack()
    {
        await StartAsync();
        await stop.CancelAsync();
        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("", (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!["spec"]!["holderIdentity"]!.ToString());
    }

    [Fact]
    public async Task Replica_ThatDoesNotLead_MakesNoPass()
    {
        api.Put(ResourceKind.Cluster, "example");
        await new LeaderElection(api, "ns", "lease", "another", time, NullLogger.Instance).AcquireAsync(TestContext.Current.CancellationToken);
        var before = api.Gets;
        running = Host().RunAsync(stop.Token);
        // Asked twice. When it begins to wait is not seen, so the clock goes on in steps that are small beside the lease.
        await Poll.UntilAsync(() => api.Gets >= before + 2, meanwhile: () => time.Advance(TimeSpan.FromMilliseconds(10)));
        Assert.True(api.Gets >= before + 2);
        await stop.CancelAsync();
        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Empty(clusters.Passes);
        Assert.Equal("another", (await api.GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken))!["spec"]!["holderIdentity"]!.ToString());
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        metrics.Dispose();
        stop.Dispose();
    }

    private async Task StartAsync()
    {
        running = Host().RunAsync(stop.Token);
        await WatchingAsync();
    }

    private OperatorHost Host() => new(
        new OperatorOptions { NodeImage = "kv-node", LeaseName = "lease", Namespace = "ns", Identity = "us" },
        api,
        new ControllerLoop<Cluster>(api, ResourceKind.Cluster, clusters, [], new WorkQueue<ObjectKey>(time, new Random(1)), metrics, NullLogger.Instance),
        new ControllerLoop<BucketType>(api, ResourceKind.BucketType, types, [], new WorkQueue<ObjectKey>(time, new Random(1)), metrics, NullLogger.Instance),
        metrics,
        time,
        NullLoggerFactory.Instance);

    private static ResourceKind KindOf(string kind) => kind switch
    {
        "StatefulSet" => ResourceKind.StatefulSet,
        "Pod" => ResourceKind.Pod,
        "Service" => ResourceKind.Service,
        "ConfigMap" => ResourceKind.ConfigMap,
        "ServiceAccount" => ResourceKind.ServiceAccount,
        _ => ResourceKind.DisruptionBudget("v1"),
    };

    private async Task WatchingAsync()
    {
        // In steps that are small beside the lease.
        await Poll.UntilAsync(() => api.OpenWatches >= WatchesOfANamespace, meanwhile: () => time.Advance(TimeSpan.FromMilliseconds(10)));
        Assert.Equal(WatchesOfANamespace, api.OpenWatches);
    }

    private void Own(ResourceKind kind, string name, string cluster) => api.Put(kind, new JsonObject
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = "default",
            ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = Names.ManagedBy, [Names.ClusterLabel] = cluster },
        },
    });
}
