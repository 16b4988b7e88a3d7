using Kv.Core.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Which of this node's trees take part in an exchange: each in one at a time, and for peers a bounded number at once. A peer that has been silent for long has lost
/// its hold. Safe from any thread.
/// </summary>
internal sealed class TreeLocks(NodeId self, ClusterOptions options, TimeProvider time)
{
    // Guards the dictionary.
    private readonly Lock gate = new();
    private readonly Dictionary<(PartitionId Partition, TreeRange Range), Hold> holds = [];

    private readonly record struct Hold(NodeId By, long Until);

    /// <summary>Trees that peers hold, or held until lately.</summary>
    public int TakenForPeers
    {
        get
        {
            lock (gate)
            {
                return CountForPeers();
            }
        }
    }

    /// <summary>For an exchange of this node's own: held until it is released.</summary>
    public bool TryTake(PartitionId partition, TreeRange range)
    {
        lock (gate)
        {
            Expire();
            return holds.TryAdd((partition, range), new Hold(self, long.MaxValue));
        }
    }

    /// <summary>For a peer's, or this node's own with itself.</summary>
    public bool TryTakeFor(NodeId peer, PartitionId partition, TreeRange range)
    {
        lock (gate)
        {
            Expire();
            var mayTake = holds.TryGetValue((partition, range), out var hold)
                ? hold.By == peer && hold.Until != long.MaxValue
                : CountForPeers() < options.ExchangeConcurrency;
            if (mayTake)
            {
                holds[(partition, range)] = new Hold(peer, Until());
            }

            return mayTake;
        }
    }

    /// <summary>The peer goes on. False where it has no hold, or has lost it.</summary>
    public bool Renew(NodeId peer, PartitionId partition, TreeRange range)
    {
        lock (gate)
        {
            Expire();
            if (!holds.TryGetValue((partition, range), out var hold) || hold.By != peer || hold.Until == long.MaxValue)
            {
                return false;
            }

            holds[(partition, range)] = new Hold(peer, Until());
            return true;
        }
    }

    public void Release(NodeId by, PartitionId partition, TreeRange range)
    {
        lock (gate)
        {
            if (holds.TryGetValue((partition, range), out var hold) && hold.By == by)
            {
                holds.Remove((partition, range));
            }
        }
    }

    // Needs the gate.
    private int CountForPeers() => holds.Values.Count(hold => hold.Until != long.MaxValue);

    private long Until() => Deadline.After(time, 2 * options.ExchangeTimeout).Timestamp;

    private void Expire()
    {
        var now = time.GetTimestamp();
        foreach (var (tree, hold) in holds)
        {
            if (hold.Until < now)
            {
                holds.Remove(tree);
            }
        }
    }
}
