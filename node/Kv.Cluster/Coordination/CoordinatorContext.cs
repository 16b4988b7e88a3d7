using Kv.Cluster.Async;
using Kv.Cluster.Hooks;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;

namespace Kv.Cluster.Coordination;

/// <summary>What the coordinators of a node share.</summary>
internal sealed class CoordinatorContext(
    ClusterState state, VnodeGate gate, IPeerTransport transport, TimeProvider time, ClusterOptions options, KvStatistics statistics) : IDisposable
{
    private int repairs;
    private long tags;

    public ClusterState State { get; } = state;

    public VnodeGate Gate { get; } = gate;

    public Fences Fences { get; } = gate.Fences;

    public IPeerTransport Transport { get; } = transport;

    public TimeProvider Time { get; } = time;

    /// <summary>By which objects with an end are judged. Set before the first request.</summary>
    public MemberClocks Clocks { get; set; } = new(time, static () => []);

    /// <summary>Set before the first request.</summary>
    public ICommitHooks Hooks { get; set; } = NoCommitHooks.Instance;

    public ClusterOptions Options { get; } = options;

    public KvStatistics Statistics { get; } = statistics;

    public DeadlineWheel Deadlines { get; } = new(time);

    /// <summary>Places taken by <see cref="TryBeginRepair"/>.</summary>
    public int Repairs => Volatile.Read(ref repairs);

    /// <summary>Takes a place for work that no client waits for; false (and counted) when there are too many. Each true needs one <see cref="EndRepair"/>.</summary>
    public bool TryBeginRepair()
    {
        if (Places.TryTake(ref repairs, Options.MaxConcurrentRepairs))
        {
            return true;
        }

        Statistics.RepairSkipped();
        return false;
    }

    /// <summary>A number that this context never gave before.</summary>
    public long NextTag() => Interlocked.Increment(ref tags);

    public void EndRepair() => Interlocked.Decrement(ref repairs);

    public void Dispose() => Deadlines.Dispose();
}
