using System.Diagnostics.Metrics;
using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Handoff;
using Kv.Core.Objects;

namespace Kv.Cluster;

/// <summary>
/// The figures of a node's requests and vnodes: plain numbers for Riak's `/stats`, and the same as instruments of the meter
/// <see cref="MeterName"/> for the metrics exporter. Safe from any thread.
/// </summary>
public sealed class KvStatistics : IDisposable
{
    public const string MeterName = "Kv.Cluster";

    /// <summary>The label of requests for a bucket type that there is not: the names that clients make up are without number, and series are not.</summary>
    public const string UnknownBucketTypeLabel = "(unknown)";

    /// <summary>Upper bounds of the buckets of request times: from a read in memory to the longest default timeout. The instrument's own default is for milliseconds.</summary>
    private static readonly double[] RequestBucketSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private static readonly long[] SiblingBuckets = [1, 2, 3, 5, 10, 25, 50, 100, 1000];

    private static readonly long[] ObjectByteBuckets = [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 50 << 20];

    private static readonly KeyValuePair<string, object?> GetLabel = new("operation", "get");
    private static readonly KeyValuePair<string, object?> PutLabel = new("operation", "put");

    private readonly Meter meter = new(MeterName);
    private readonly Histogram<long> siblings;
    private readonly Histogram<long> objectBytes;
    private readonly Histogram<double> requestSeconds;
    private readonly Counter<long> quorumFailures;
    private readonly KvHistogram[] latencies = [.. Enum.GetValues<KvOperation>().Select(_ => new KvHistogram())];
    private readonly long[] failures = new long[Enum.GetValues<KvOperation>().Length];

    private long vnodeOverloads;
    private long requestOverloads;
    private long repairsOfMissing;
    private long repairsOfStale;
    private long skippedRepairs;
    private long reaps;
    private long siblingWarnings;
    private long objectSizeWarnings;
    private long forwardedRequests;
    private long activeRequests;
    private long preCommitFailures;

    public KvStatistics()
    {
        requestSeconds = meter.CreateHistogram(
            "kv_request_duration_seconds",
            "s",
            "time of requests by operation, bucket type and outcome",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = RequestBucketSeconds });
        siblings = meter.CreateHistogram(
            "kv_object_siblings", description: "siblings of the object that was read or written", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = SiblingBuckets });
        objectBytes = meter.CreateHistogram(
            "kv_object_size_bytes", description: "bytes of the values of the object that was read or written", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = ObjectByteBuckets });
        Handoff = new HandoffStatistics(meter);
        AntiEntropy = new AntiEntropyStatistics(meter);
        quorumFailures = meter.CreateCounter<long>("kv_quorum_failures", description: "requests whose quorum was not met, by rule");
        meter.CreateObservableCounter("kv_vnode_overloads", () => VnodeOverloads, description: "commands refused by a full mailbox");
        meter.CreateObservableCounter("kv_request_overloads", () => RequestOverloads, description: "requests refused because too many are under way");
        meter.CreateObservableCounter("kv_read_repairs", RepairsByReason, description: "replicas that a read found stale or missing and sent the merged object");
        meter.CreateObservableCounter("kv_read_repairs_skipped", () => SkippedRepairs, description: "repairs not begun because too many are under way");
        meter.CreateObservableCounter("kv_reaps", () => Reaps, description: "tombstones removed");
        meter.CreateObservableCounter("kv_sibling_warnings", () => SiblingWarnings, description: "writes that left more siblings than the warning threshold");
        meter.CreateObservableCounter("kv_object_size_warnings", () => ObjectSizeWarnings, description: "writes that left an object beyond the warning threshold");
        meter.CreateObservableCounter("kv_requests_forwarded", () => ForwardedRequests, description: "writes handed to a node of their preference list");
        meter.CreateObservableCounter("kv_precommit_failures", () => PreCommitFailures, description: "writes that a precommit hook refused, or that were refused because it failed");
        meter.CreateObservableGauge("kv_requests_active", () => ActiveRequests, description: "requests under way");
        meter.CreateObservableGauge("kv_partitions_damaged", () => DamagedPartitions?.Invoke() ?? 0, description: "partitions whose data here is damaged or gone, and not served");
        meter.CreateObservableGauge("kv_queue_depth", () => OfQueues(static queue => queue.Depth), description: "what a bounded queue holds; of those that each vnode has, the fullest");
        meter.CreateObservableGauge("kv_queue_limit", () => OfQueues(static queue => queue.Bound), description: "what a bounded queue may hold");
        meter.CreateObservableGauge("kv_vnode_mailbox_depth", () => (MailboxDepth?.Invoke() ?? default).Deepest, description: "commands waiting in the fullest mailbox");
        meter.CreateObservableGauge("kv_vnode_mailbox_commands", () => (MailboxDepth?.Invoke() ?? default).Total, description: "commands waiting in all mailboxes");
    }

    /// <summary>Siblings of objects after a write.</summary>
    public KvHistogram Siblings { get; } = new();

    /// <summary>Bytes of objects in stored form after a write.</summary>
    public KvHistogram ObjectBytes { get; } = new();

    /// <summary>Siblings of objects that were read.</summary>
    public KvHistogram ReadSiblings { get; } = new();

    /// <summary>Bytes of the values of objects that were read.</summary>
    public KvHistogram ReadObjectBytes { get; } = new();

    /// <summary>Commands that a vnode's turns took together.</summary>
    public KvHistogram TurnCommands { get; } = new();

    public long VnodeOverloads => Volatile.Read(ref vnodeOverloads);

    public long RequestOverloads => Volatile.Read(ref requestOverloads);

    public long ReadRepairs => Volatile.Read(ref repairsOfMissing) + Volatile.Read(ref repairsOfStale);

    public long SkippedRepairs => Volatile.Read(ref skippedRepairs);

    public long Reaps => Volatile.Read(ref reaps);

    public long SiblingWarnings => Volatile.Read(ref siblingWarnings);

    public long ObjectSizeWarnings => Volatile.Read(ref objectSizeWarnings);

    public long ForwardedRequests => Volatile.Read(ref forwardedRequests);

    public long ActiveRequests => Volatile.Read(ref activeRequests);

    /// <summary>Writes that a hook refused, or that were refused because it gave no answer.</summary>
    public long PreCommitFailures => Volatile.Read(ref preCommitFailures);

    /// <summary>Writes that a hook could not be told of; set by who tells them.</summary>
    public Func<long>? PostCommitFailures { get; set; }

    /// <summary>What was handed over, and what is still to be.</summary>
    public HandoffStatistics Handoff { get; }

    /// <summary>What replicas found to differ by themselves.</summary>
    public AntiEntropyStatistics AntiEntropy { get; }

    /// <summary>Commands that wait in all mailboxes now, and in the fullest; set by the vnodes' host.</summary>
    public Func<(long Total, long Deepest)>? MailboxDepth { get; set; }

    /// <summary>What bounded queues hold now; set by the node.</summary>
    internal Func<IReadOnlyList<QueueDepth>>? Queues { get; set; }

    /// <summary>How many partitions' data here is damaged; set by the host of the vnodes.</summary>
    public Func<long>? DamagedPartitions { get; set; }

    /// <summary>Microseconds from a request's acceptance to its outcome; its count is the number of requests.</summary>
    public KvHistogram LatencyMicroseconds(KvOperation operation) => latencies[(int)operation];

    /// <summary>Requests that ended in <see cref="KvOutcome.Failed"/>.</summary>
    public long Failures(KvOperation operation) => Volatile.Read(ref failures[(int)operation]);

    public void Dispose() => meter.Dispose();

    internal void RequestBegan() => Interlocked.Increment(ref activeRequests);

    // hot
    internal void RequestEnded(KvOperation operation, string bucketType, KvError? error, TimeSpan took)
    {
        Interlocked.Decrement(ref activeRequests);
        latencies[(int)operation].Add((long)took.TotalMicroseconds);
        if (error is not null)
        {
            Interlocked.Increment(ref failures[(int)operation]);
        }

        if (error is KvError.Unsatisfied unmet)
        {
            quorumFailures.Add(1, new KeyValuePair<string, object?>("rule", unmet.Option));
        }

        if (requestSeconds.Enabled)
        {
            requestSeconds.Record(
                took.TotalSeconds,
                new KeyValuePair<string, object?>("operation", operation.ToString()),
                new KeyValuePair<string, object?>("bucket_type", error is KvError.UnknownBucketType ? UnknownBucketTypeLabel : bucketType),
                new KeyValuePair<string, object?>("outcome", error is null ? "ok" : error.GetType().Name));
        }
    }

    internal void RequestOverloaded() => Interlocked.Increment(ref requestOverloads);

    internal void RequestForwarded() => Interlocked.Increment(ref forwardedRequests);

    internal void PreCommitFailed() => Interlocked.Increment(ref preCommitFailures);

    internal void VnodeOverloaded() => Interlocked.Increment(ref vnodeOverloads);

    internal void VnodeTurn(int commands) => TurnCommands.Add(commands);

    internal void ReadRepaired(bool wasMissing) => Interlocked.Increment(ref wasMissing ? ref repairsOfMissing : ref repairsOfStale);

    internal void RepairSkipped() => Interlocked.Increment(ref skippedRepairs);

    internal void Reaped() => Interlocked.Increment(ref reaps);

    // hot
    internal void ObjectRead(KvObject read)
    {
        var bytes = ValueBytes(read);
        ReadSiblings.Add(read.Siblings.Length);
        ReadObjectBytes.Add(bytes);
        siblings.Record(read.Siblings.Length, GetLabel);
        objectBytes.Record(bytes, GetLabel);
    }

    // hot
    internal void ObjectWritten(KvObject written, int storedBytes, ClusterOptions options)
    {
        Siblings.Add(written.Siblings.Length);
        ObjectBytes.Add(storedBytes);
        siblings.Record(written.Siblings.Length, PutLabel);
        objectBytes.Record(ValueBytes(written), PutLabel);
        if (written.Siblings.Length > options.WarnSiblings)
        {
            Interlocked.Increment(ref siblingWarnings);
        }

        if (storedBytes > options.WarnObjectBytes)
        {
            Interlocked.Increment(ref objectSizeWarnings);
        }
    }

    private static long ValueBytes(KvObject of)
    {
        var bytes = 0L;
        foreach (var sibling in of.Siblings)
        {
            bytes += sibling.ValueBytes;
        }

        return bytes;
    }

    private IEnumerable<Measurement<long>> OfQueues(Func<QueueDepth, long> figure) =>
        (Queues?.Invoke() ?? []).Select(queue => new Measurement<long>(figure(queue), new KeyValuePair<string, object?>("queue", queue.Queue)));

    private IEnumerable<Measurement<long>> RepairsByReason() =>
    [
        new(Volatile.Read(ref repairsOfMissing), new KeyValuePair<string, object?>("reason", "missing")),
        new(Volatile.Read(ref repairsOfStale), new KeyValuePair<string, object?>("reason", "stale")),
    ];
}
