using System.Collections.Concurrent;
using System.Diagnostics;
using Kv.Chaos.Load;

namespace Kv.Chaos.Reports;

/// <summary>All that happened, by the second of the run. For many threads.</summary>
internal sealed class Timeline
{
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly ConcurrentQueue<OperationRecord> operations = [];
    private readonly ConcurrentQueue<FaultRecord> faults = [];
    private readonly ConcurrentQueue<RingSample> samples = [];

    public double Now => watch.Elapsed.TotalSeconds;

    public IReadOnlyCollection<OperationRecord> Operations => operations;

    public IReadOnlyCollection<FaultRecord> Faults => faults;

    public IReadOnlyCollection<RingSample> Samples => samples;

    /// <summary>When replicas were last lost that had acknowledged writes, in seconds of the run; before the first write where none was.</summary>
    public double ReplicasLost { get; set; } = -1;

    /// <summary>When the load ended, and with it what counts as an outage.</summary>
    public double LoadEnded { get; set; }

    public void Add(RingSample sample) => samples.Enqueue(sample);

    public FaultRecord Begin(string kind, string what, IReadOnlyList<int> slots)
    {
        var fault = new FaultRecord(kind, what, slots, Now);
        faults.Enqueue(fault);
        return fault;
    }

    public async Task<T> TimedAsync<T>(string door, string kind, Func<Task<T>> operation)
    {
        var begun = Now;
        try
        {
            var result = await operation();
            operations.Enqueue(new OperationRecord(door, kind, Now, Now - begun, null, false));
            return result;
        }
        catch (DoorException failure)
        {
            // That a condition does not hold is an answer.
            operations.Enqueue(new OperationRecord(door, kind, Now, Now - begun, failure.IsConditionUnmet ? null : failure.Message, failure.IsRetryable));
            throw;
        }
    }

    public Task TimedAsync(string door, string kind, Func<Task> operation) => TimedAsync(door, kind, async () =>
    {
        await operation();
        return 0;
    });
}
