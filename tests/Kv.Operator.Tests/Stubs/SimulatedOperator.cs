using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.BucketTypes;
using Kv.Operator.Clusters;
using Kv.Operator.Manifests;
using Kv.Operator.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.Operator.Tests.Stubs;

/// <summary>An operator's process in full, from its loops down, without its clocks and watches: it makes a pass when it is told to.</summary>
internal sealed class SimulatedOperator
{
    private static readonly OperatorMetrics Metrics = new();
    private static readonly ObjectKey TheCluster = new("default", "example");
    private static readonly ObjectKey TheType = new("default", "siblings");
    private readonly ControllerLoop<Cluster> clusters;
    private readonly ControllerLoop<BucketType> types;

    public SimulatedOperator(SimulatedKubernetes kubernetes, TimeProvider time)
    {
        Rights = new RecordedRights(kubernetes.Api);
        Calls = new OperatorCalls(Rights, kubernetes.Nodes);
        var world = new KubernetesWorld(Calls, NodeImage.Parse("registry.example/kv-node:1", "latest"));
        var observer = new ClusterObserver(world, Calls);
        var reporter = new PassReporter(new StatusWriter(Calls), new EventRecorder(Calls, time, NullLogger<EventRecorder>.Instance));
        var reconciler = new ClusterReconciler(observer, new ClusterApplier(world, Calls), time, PassIntervals.Kubernetes);
        clusters = new ControllerLoop<Cluster>(
            Calls, ResourceKind.Cluster, new ClusterController(reconciler, reporter), [new VolumesFinalizer(Calls)], new WorkQueue<ObjectKey>(time, new Random(1)), Metrics, NullLogger.Instance);
        var typeReconciler = new BucketTypeReconciler(observer, Calls, time, PassIntervals.Kubernetes);
        types = new ControllerLoop<BucketType>(
            Calls, ResourceKind.BucketType, new BucketTypeController(new EntityClient(Calls), new SharedClaims(Calls, time), typeReconciler, reporter), [], new WorkQueue<ObjectKey>(time, new Random(1)), Metrics, NullLogger.Instance);
    }

    public OperatorCalls Calls { get; }

    public RecordedRights Rights { get; }

    public async Task PassAsync(CancellationToken cancel)
    {
        await clusters.HandleAsync(TheCluster, cancel);
        await types.HandleAsync(TheType, cancel);
    }
}
