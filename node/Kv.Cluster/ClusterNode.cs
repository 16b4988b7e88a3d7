using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster;

/// <summary>
/// One node, whole: composes membership, vnodes, coordinators and handoff over the ports it is handed. Its owner starts it once, gives what peers
/// send to <see cref="PeerHandler"/>, watches <see cref="Failed"/>, and stops it.
/// </summary>
public sealed class ClusterNode
{
    private readonly TaskCompletionSource<Exception> failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ClusterAdmin? admin;
    private readonly KvClient? client;
    private readonly IPeerHandler? handler;

    /// <summary><paramref name="self"/> is the node's description of itself: id, name, zone and advertised endpoints; its state is not looked at.</summary>
    public ClusterNode(
        ClusterOptions options,
        Member self,
        IPeerTransport transport,
        IPartitionStores stores,
        INodeState nodeState,
        TimeProvider time,
        Random random,
        ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(self);
        State = new ClusterState(self.Id);
        (admin, client, handler) = (null, null, null);
    }

    public ClusterState State { get; }

    public ClusterAdmin Admin => admin ?? throw new InvalidOperationException("the node is not started");

    public KvClient Client => client ?? throw new InvalidOperationException("the node is not started");

    /// <summary>What peers send goes here; it may be called as soon as the node is made, and answers `not_ready` before it is started.</summary>
    public IPeerHandler PeerHandler => handler ?? throw new InvalidOperationException("the node is not started");

    /// <summary>Completes, with the reason, when a store is beyond use: the process is to end, so that a restart recovers what is on disk.</summary>
    public Task<Exception> Failed => failed.Task;

    /// <summary>Opens the stores, recovers the document and begins to serve. Throws <see cref="StoreException"/> on damage.</summary>
    public Task StartAsync(CancellationToken cancel) => State.Current.Document is null ? Task.CompletedTask : Task.FromCanceled(cancel);

    /// <summary>Takes no more requests, lets those under way end (within <paramref name="cancel"/>), and closes stores cleanly.</summary>
    public Task StopAsync(CancellationToken cancel) => State.Current.Document is null ? Task.CompletedTask : Task.FromCanceled(cancel);
}
