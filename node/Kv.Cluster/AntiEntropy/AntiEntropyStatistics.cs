using System.Diagnostics.Metrics;

namespace Kv.Cluster.AntiEntropy;

/// <summary>The figures of hash trees and exchanges, as instruments of the node's meter. Safe from any thread.</summary>
public sealed class AntiEntropyStatistics
{
    /// <summary>Upper bounds of the buckets of an exchange's time: from one question to a partition that was lost whole.</summary>
    private static readonly double[] ExchangeBucketSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800];

    private readonly Histogram<double> seconds;
    private long bytes;
    private long found;
    private long repaired;
    private long equal;
    private long differed;
    private long failed;
    private long builds;
    private long scrubs;

    internal AntiEntropyStatistics(Meter meter)
    {
        seconds = meter.CreateHistogram(
            "kv_exchange_duration_seconds", "s", "time of exchanges that ran to the end", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = ExchangeBucketSeconds });
        meter.CreateObservableCounter("kv_exchanges", ExchangesByOutcome, description: "comparisons of two hash trees, by how they ended");
        meter.CreateObservableCounter("kv_exchange_bytes", () => Volatile.Read(ref bytes), description: "bytes of hashes and keys that exchanges moved");
        meter.CreateObservableCounter("kv_exchange_keys", () => Found, description: "keys that exchanges found to differ");
        meter.CreateObservableCounter("kv_tree_builds", () => Builds, description: "vnodes whose hash trees were built anew from the data");
        meter.CreateObservableCounter("kv_scrubs", () => Scrubs, description: "vnodes without hash trees whose data was read in full to see whether any rotted");
        meter.CreateObservableGauge("kv_trees_unbuilt", () => Unbuilt?.Invoke() ?? 0, description: "vnodes of this node whose hash trees are to be built");
    }

    /// <summary>Keys that exchanges of this node found to differ.</summary>
    public long Found => Volatile.Read(ref found);

    /// <summary>Those of them for which a replica was sent the merged object.</summary>
    public long Repaired => Volatile.Read(ref repaired);

    /// <summary>Exchanges that found nothing.</summary>
    public long Equal => Volatile.Read(ref equal);

    /// <summary>Vnodes whose trees were built anew.</summary>
    public long Builds => Volatile.Read(ref builds);

    /// <summary>Times that a vnode without trees was read in full to see whether anything rotted.</summary>
    public long Scrubs => Volatile.Read(ref scrubs);

    /// <summary>Vnodes whose trees are to be built; set by the scheduler.</summary>
    public Func<long>? Unbuilt { get; set; }

    internal void Moved(long size) => Interlocked.Add(ref bytes, size);

    internal void KeysFound(int count) => Interlocked.Add(ref found, count);

    internal void Ended(TimeSpan took, int keysFound, int keysRepaired)
    {
        Interlocked.Increment(ref keysFound == 0 ? ref equal : ref differed);
        Interlocked.Add(ref repaired, keysRepaired);
        seconds.Record(took.TotalSeconds);
    }

    internal void Failed() => Interlocked.Increment(ref failed);

    internal void Built() => Interlocked.Increment(ref builds);

    internal void Scrubbed() => Interlocked.Increment(ref scrubs);

    private IEnumerable<Measurement<long>> ExchangesByOutcome() =>
    [
        new(Volatile.Read(ref equal), new KeyValuePair<string, object?>("outcome", "equal")),
        new(Volatile.Read(ref differed), new KeyValuePair<string, object?>("outcome", "repaired")),
        new(Volatile.Read(ref failed), new KeyValuePair<string, object?>("outcome", "failed")),
    ];
}
