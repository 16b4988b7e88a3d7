using System.Diagnostics.Metrics;
using Kv.Cluster;

namespace Kv.Wire.Hooks;

/// <summary>The figures of commit hooks, as instruments of the node's meter. Safe from any thread.</summary>
internal sealed class HookStatistics : IDisposable
{
    /// <summary>The label of hooks that the node has no address of: what buckets name is without number.</summary>
    public const string UnknownHook = "(unknown)";

    private static readonly double[] BucketSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly Meter meter = new(KvStatistics.MeterName);
    private readonly Counter<long> calls;
    private readonly Histogram<double> seconds;
    private long waiting;
    private long dropped;

    public HookStatistics()
    {
        calls = meter.CreateCounter<long>("kv_hook_calls", description: "calls of commit hooks");
        seconds = meter.CreateHistogram(
            "kv_hook_duration_seconds", "s", "time of calls of commit hooks", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = BucketSeconds });
        meter.CreateObservableGauge("kv_hook_queue", () => Volatile.Read(ref waiting), description: "writes that postcommit hooks are still to be told of");
        meter.CreateObservableCounter("kv_hook_drops", () => Dropped, description: "writes that a postcommit hook was not told of");
    }

    /// <summary>Writes that a hook was not told of.</summary>
    public long Dropped => Volatile.Read(ref dropped);

    /// <param name="hook">Its name.</param>
    /// <param name="hookEvent">`precommit` or `postcommit`.</param>
    /// <param name="outcome">`accepted`, `replaced`, `refused`, `failed`, `ignored` (failed, and the write went on), `overloaded`.</param>
    /// <param name="took">Until then.</param>
    public void Called(string hook, string hookEvent, string outcome, TimeSpan took)
    {
        var label = new KeyValuePair<string, object?>("event", hookEvent);
        calls.Add(1, new("hook", hook), label, new("outcome", outcome));
        seconds.Record(took.TotalSeconds, label);
    }

    public void Queued() => Interlocked.Increment(ref waiting);

    public void Left() => Interlocked.Decrement(ref waiting);

    public void Drop() => Interlocked.Increment(ref dropped);

    public void Dispose() => meter.Dispose();
}
