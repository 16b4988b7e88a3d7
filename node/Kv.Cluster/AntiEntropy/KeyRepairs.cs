using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Objects;

namespace Kv.Cluster.AntiEntropy;

/// <summary>The repairs of key ranges that this node is asked for: one at a time. Safe from any thread.</summary>
internal sealed class KeyRepairs(
    ClusterOptions options,
    ClusterState state,
    VnodeGate gate,
    IPeerTransport transport,
    KvClient client,
    Pace pace,
    TimeProvider time,
    BackgroundTasks background,
    CancellationToken stopping)
{
    // Guards the one below.
    private readonly Lock starting = new();
    private KeyRepair? last;

    /// <summary>The one that runs, or else ran last; null where none did since the start.</summary>
    public KeyRepairView? View() => Volatile.Read(ref last)?.View();

    /// <summary>Begins; false while another is running.</summary>
    public bool TryBegin(BucketName bucket, ReadOnlyMemory<byte> from, ReadOnlyMemory<byte> to)
    {
        lock (starting)
        {
            if (last?.View().IsRunning == true)
            {
                return false;
            }

            var repair = new KeyRepair(bucket, from, to, state, gate, transport, client, options, pace, time);
            Volatile.Write(ref last, repair);
            background.Start(repair.RunAsync, stopping);
            return true;
        }
    }
}
