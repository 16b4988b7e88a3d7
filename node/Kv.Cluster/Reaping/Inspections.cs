using System.Collections.Concurrent;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Reaping;

/// <summary>
/// The keys that reapers have asked this node about and not sealed yet, by attempt. In memory only: a restart forgets them, and the attempts fail. Bounded by
/// <see cref="ClusterOptions.MaxInspections"/>; an attempt that is not heard of for <see cref="ClusterOptions.InspectionTimeout"/> is forgotten. Safe from any thread.
/// </summary>
internal sealed class Inspections(ClusterOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<ReadOnlyMemory<byte>, Inspection[]> byKey = new(KeyBytesComparer.Instance);

    // Guards the two below and changes of what is above.
    private readonly Lock gate = new();
    private readonly Dictionary<(NodeId Reaper, ulong Attempt), Batch> batches = [];
    private readonly Queue<(NodeId Reaper, ulong Attempt)> byAge = new();
    private int count;

    /// <summary>What one attempt asked about, by position; null where the node would not say yes.</summary>
    internal sealed record Batch(Inspection?[] Keys, long DocumentVersion, Deadline Deadline);

    /// <summary>Keys that are inspected now.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Remembers the batch, before any of its keys is looked up. False where there are too many, or the attempt is known.</summary>
    public bool TryBegin(NodeId reaper, ulong attempt, Inspection?[] keys, long documentVersion)
    {
        lock (gate)
        {
            ForgetOld();
            var batch = new Batch(keys, documentVersion, Deadline.After(time, options.InspectionTimeout));
            if (count + keys.Length > options.MaxInspections || !batches.TryAdd((reaper, attempt), batch))
            {
                return false;
            }

            byAge.Enqueue((reaper, attempt));
            foreach (var inspection in keys)
            {
                if (inspection is not null)
                {
                    Interlocked.Increment(ref count);
                    byKey[inspection.Key] = byKey.TryGetValue(inspection.Key, out var others) ? [.. others, inspection] : [inspection];
                }
            }

            return true;
        }
    }

    /// <summary>The attempt's batch while it is not forgotten.</summary>
    public Batch? Find(NodeId reaper, ulong attempt)
    {
        lock (gate)
        {
            ForgetOld();
            return batches.GetValueOrDefault((reaper, attempt));
        }
    }

    /// <summary>Ends an attempt, sealed or not.</summary>
    public void Forget(NodeId reaper, ulong attempt)
    {
        lock (gate)
        {
            Remove((reaper, attempt));
        }
    }

    /// <summary>What the node holds under the key is about to change by something that came from elsewhere. Check the fence after this, not before.</summary>
    // hot
    public void Disturb(ReadOnlyMemory<byte> key)
    {
        if (Volatile.Read(ref count) == 0 || !byKey.TryGetValue(key, out var found))
        {
            return;
        }

        foreach (var inspection in found)
        {
            inspection.Disturb();
        }
    }

    // Needs the gate.
    private void ForgetOld()
    {
        while (byAge.TryPeek(out var oldest) && (!batches.TryGetValue(oldest, out var batch) || batch.Deadline.HasPassed(time)))
        {
            byAge.Dequeue();
            Remove(oldest);
        }
    }

    // Needs the gate.
    private void Remove((NodeId Reaper, ulong Attempt) attempt)
    {
        if (!batches.Remove(attempt, out var batch))
        {
            return;
        }

        foreach (var inspection in batch.Keys)
        {
            if (inspection is null)
            {
                continue;
            }

            // One that is forgotten is never sealed.
            inspection.Disturb();
            var others = Array.FindAll(byKey[inspection.Key], other => other != inspection);
            if (others.Length > 0)
            {
                byKey[inspection.Key] = others;
            }
            else
            {
                byKey.TryRemove(inspection.Key, out _);
            }

            Interlocked.Decrement(ref count);
        }
    }
}
