using System.Diagnostics.Metrics;
using Kv.Cluster.Handoff;
using Kv.Cluster.Membership;
using Kv.Core.Membership;
using Kv.Storage;

namespace Kv.Node.Metrics;

/// <summary>The series that are read off the node's state when they are scraped.</summary>
public sealed class NodeMetrics : IDisposable
{
    private readonly Meter meter = new(MetricNames.NodeMeter);
    private readonly NodeHealth health;

    public NodeMetrics(NodeOptions options, string version, long memoryLimitBytes, NodeHealth health)
    {
        this.health = health;
        meter.CreateObservableGauge(
            MetricNames.BuildInfo, () => new Measurement<int>(1, Label("version", version), Label("node", options.Name), Label("zone", options.Zone)));
        meter.CreateObservableGauge(MetricNames.MemoryLimitBytes, () => memoryLimitBytes);
        meter.CreateObservableGauge(MetricNames.NodeReady, () => this.health.Ready().Ok ? 1 : 0);
    }

    /// <summary>Adds what is known once the node is open.</summary>
    public void Observe(ClusterState state, ClusterAdmin admin, NodeStorage storage)
    {
        meter.CreateObservableGauge(MetricNames.RingVersion, () => state.Current.DocumentVersion);
        meter.CreateObservableGauge(MetricNames.RingOwnedPartitions, () => OfRing(state, (ring, self) => ring.Owners.Count(owner => owner == self)));
        meter.CreateObservableGauge(MetricNames.RingUnsettledPartitions, () => OfRing(state, (ring, _) => ring.Owners.Zip(ring.NextOwners).Count(pair => pair.First != pair.Second)));
        meter.CreateObservableGauge(MetricNames.RingConverged, () => admin.GetCluster() is { IsOk: true, Value.IsConverged: true } ? 1 : 0);
        meter.CreateObservableGauge(MetricNames.Members, () => Members(state));
        meter.CreateObservableGauge(MetricNames.PeerUp, () => Peers(state));
        meter.CreateObservableGauge(MetricNames.TransfersPending, () => Transfers(state, admin));
        meter.CreateObservableGauge(MetricNames.StorageBytes, storage.DataBytes);
        meter.CreateObservableGauge(MetricNames.StorageFreeBytes, storage.FreeBytes);
        ObserveStorage(storage.Statistics);
    }

    public void Dispose() => meter.Dispose();

    private void ObserveStorage(StorageStatistics statistics)
    {
        meter.CreateObservableGauge(MetricNames.StorageLogBytes, () => statistics.LogBytes);
        meter.CreateObservableCounter(MetricNames.StorageCheckpoints, () => statistics.Checkpoints);
        meter.CreateObservableCounter(MetricNames.StorageCompactions, () => statistics.Compactions);
        meter.CreateObservableCounter(MetricNames.StorageRefusals, () => statistics.Refusals);
        var commits = meter.CreateHistogram(
            MetricNames.StorageCommitSeconds, "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = StorageStatistics.CommitBucketSeconds });
        statistics.OnCommit = took => commits.Record(took.TotalSeconds);
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static int OfRing(ClusterState state, Func<Core.Rings.Ring, Core.Rings.NodeId, int> count) =>
        state.Current is { Document: { } document } snapshot ? count(document.Ring, snapshot.Self) : 0;

    private static IEnumerable<Measurement<int>> Members(ClusterState state)
    {
        var members = state.Current.Document?.Members ?? [];
        return Enum.GetValues<MemberState>().Select(kind =>
            new Measurement<int>(members.Count(member => member.State == kind), Label("state", kind.ToString().ToLowerInvariant())));
    }

    private static IEnumerable<Measurement<int>> Peers(ClusterState state)
    {
        var snapshot = state.Current;
        return (snapshot.Document?.Members ?? []).Where(member => member.Id != snapshot.Self)
            .Select(member => new Measurement<int>(snapshot.IsUp(member.Id) ? 1 : 0, Label("peer", member.Name)));
    }

    private static IEnumerable<Measurement<int>> Transfers(ClusterState state, ClusterAdmin admin)
    {
        var transfers = admin.GetTransfers().Where(transfer => transfer.From == state.Current.Self).ToList();
        return from kind in Enum.GetValues<TransferKind>()
               from standing in Enum.GetValues<TransferState>()
               select new Measurement<int>(
                   transfers.Count(transfer => transfer.Kind == kind && transfer.State == standing),
                   Label("kind", kind.ToString().ToLowerInvariant()),
                   Label("state", standing.ToString().ToLowerInvariant()));
    }
}
