using System.Diagnostics.Metrics;

namespace Kv.Cluster.Handoff;

/// <summary>The figures of what leaves this node and comes to it, as instruments of its meter. Safe from any thread.</summary>
public sealed class HandoffStatistics
{
    private readonly Counter<long> objects;
    private readonly Counter<long> bytes;
    private readonly Counter<long> completed;
    private readonly Counter<long> failed;
    private long returnedHints;

    internal HandoffStatistics(Meter meter)
    {
        objects = meter.CreateCounter<long>("kv_transfer_objects", description: "objects handed over, by direction");
        bytes = meter.CreateCounter<long>("kv_transfer_bytes", description: "bytes of keys and objects handed over, by direction");
        completed = meter.CreateCounter<long>("kv_transfers_completed", description: "transfers from this node that are done, by kind");
        failed = meter.CreateCounter<long>("kv_transfers_failed", description: "attempts at transfers from this node that failed, by kind");
        meter.CreateObservableCounter("kv_hints_returned", () => ReturnedHints, description: "objects held for others that are with their owners now");
        meter.CreateObservableGauge("kv_partitions_rebuilding", () => Rebuilding?.Invoke() ?? 0, description: "partitions that this node owns and has not all data of yet");
        meter.CreateObservableGauge("kv_hints_refused", () => RefusedHints?.Invoke() ?? 0, description: "objects held for others that their owners refuse to take");
        meter.CreateObservableGauge("kv_hints", () => HeldHints?.Invoke() ?? 0, description: "objects held here that belong to other nodes");
    }

    /// <summary>Objects that were held for others, and that their owners have now.</summary>
    public long ReturnedHints => Volatile.Read(ref returnedHints);

    /// <summary>About how many objects are held here that belong to other nodes; set by the scheduler.</summary>
    public Func<long>? HeldHints { get; set; }

    /// <summary>How many of them their owners refused when they were last sent; set by the scheduler.</summary>
    public Func<long>? RefusedHints { get; set; }

    /// <summary>How many partitions this node rebuilds; set by the rebuilder.</summary>
    public Func<long>? Rebuilding { get; set; }

    internal void Sent(int count, long size) => Moved(count, size, "sent");

    internal void Received(int count, long size) => Moved(count, size, "received");

    internal void Completed(TransferKind kind, int count) => completed.Add(count, LabelOf(kind));

    internal void Failed(TransferKind kind) => failed.Add(1, LabelOf(kind));

    internal void Returned(long hints) => Interlocked.Add(ref returnedHints, hints);

    private static KeyValuePair<string, object?> LabelOf(TransferKind kind) => new("kind", kind switch
    {
        TransferKind.Ownership => "ownership",
        TransferKind.Hinted => "hinted",
        _ => "rebuild",
    });

    private void Moved(int count, long size, string direction)
    {
        var label = new KeyValuePair<string, object?>("direction", direction);
        objects.Add(count, label);
        bytes.Add(size, label);
    }
}
