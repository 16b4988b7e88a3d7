using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;

namespace Kv.Operator.Runtime;

/// <summary>What the operator counts, by the names of one glossary; labels are bounded.</summary>
internal sealed class OperatorMetrics : IDisposable
{
    public const string MeterName = "Kv.Operator";
    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> reconciles;
    private readonly Histogram<double> reconcileSeconds;
    private readonly Counter<long> apiRequests;
    private readonly Counter<long> watchRestarts;
    private int isLeader;

    public OperatorMetrics()
    {
        reconciles = meter.CreateCounter<long>("kvop_reconcile", description: "Passes over objects");
        reconcileSeconds = meter.CreateHistogram<double>("kvop_reconcile_duration", "s", "How long a pass took");
        apiRequests = meter.CreateCounter<long>("kvop_api_requests", description: "Requests to the API server");
        watchRestarts = meter.CreateCounter<long>("kvop_watch_restarts", description: "Watches that had to begin anew");
        meter.CreateObservableGauge("kvop_leader", () => isLeader, description: "1 while this replica leads");
    }

    public bool IsLeader
    {
        get => isLeader == 1;
        set => isLeader = value ? 1 : 0;
    }

    public void Reconciled(string kind, bool success, TimeSpan took)
    {
        reconciles.Add(1, new("kind", kind), new("result", success ? "success" : "error"));
        reconcileSeconds.Record(took.TotalSeconds, new KeyValuePair<string, object?>("kind", kind));
    }

    public void ApiRequest(string verb, HttpStatusCode code) => apiRequests.Add(1, new("verb", verb), new("code", ((int)code).ToString(CultureInfo.InvariantCulture)));

    public void WatchRestarted(string kind, string cause) => watchRestarts.Add(1, new("kind", kind), new("cause", cause));

    public void ObserveQueue(string kind, Func<int> depth) =>
        meter.CreateObservableGauge("kvop_queue_depth", () => new Measurement<int>(depth(), new KeyValuePair<string, object?>("kind", kind)), description: "Objects that wait for a pass");

    public void Dispose() => meter.Dispose();
}
