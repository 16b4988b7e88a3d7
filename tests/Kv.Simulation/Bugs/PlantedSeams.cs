using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>Seams with something bent in them; what is not set is as it should be.</summary>
public sealed class PlantedSeams : SimSeams
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<SimNode, (SimContext Context, IPeerHandler Handler)> handlers = [];

    /// <summary>A message between this node and a peer, and the way it would go.</summary>
    public delegate ValueTask<PeerReply> MessageBend(SimNode node, SimContext context, NodeId peer, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next);

    /// <summary>A client's request to this node, and the way it would go.</summary>
    public delegate ValueTask<KvOutcome> RequestBend(KvRequest request, Func<KvRequest, ValueTask<KvOutcome>> next);

    public MessageBend? Sending { get; init; }

    public MessageBend? Handling { get; init; }

    public RequestBend? Asking { get; init; }

    /// <summary>What the node answers a client, made of what it would.</summary>
    public Func<SimNode, KvRequest, KvOutcome, KvOutcome>? Answering { get; init; }

    public Func<IPartitionStore, IPartitionStore>? Store { get; init; }

    public Func<SimContext, INodeState, INodeState>? NodeState { get; init; }

    /// <summary>The limits that nodes go by, made of those that they were given.</summary>
    public Func<ClusterOptions, ClusterOptions>? Limits { get; init; }

    /// <summary>A node that lost its volume goes on under its old id.</summary>
    public bool KeepsId { get; init; }

    /// <summary>Asks the node itself, past all bends.</summary>
    public void Tell(SimNode node, SimContext context, PeerRequest request) =>
        _ = handlers[node].Handler.HandleAsync(node.Id, request, Deadline.After(context.Time, Patience), CancellationToken.None).AsTask();

    /// <summary>
    /// Another node answers the message that this one means for a peer, as if it had the sender's document. The answer passes for the peer's. Null where it is down.
    /// </summary>
    public async ValueTask<PeerReply?> SendAsync(SimNode from, NodeId to, PeerRequest request)
    {
        if (handlers.Keys.FirstOrDefault(known => known.Id == to && known.IsUp) is not { } node)
        {
            return null;
        }

        var (context, handler) = handlers[node];
        var sent = request with { DocumentVersion = node.Document?.Version ?? 0 };
        var reply = await node.InAsync(async () => await handler.HandleAsync(from.Id, sent, Deadline.After(context.Time, Patience), CancellationToken.None));
        return reply is null ? null : reply with { DocumentVersion = request.DocumentVersion, Fence = default };
    }

    public override NodeId IdAfterLoss(SimNode node, NodeId fresh) => KeepsId ? node.Id : fresh;

    public override ClusterOptions Options(ClusterOptions real) => Limits?.Invoke(real) ?? real;

    public override IPeerTransport Transport(SimNode node, SimContext context, IPeerTransport real) =>
        Sending is { } bend ? new BentTransport(real, (to, request, next) => bend(node, context, to, request, next)) : real;

    public override IPeerHandler Handler(SimNode node, SimContext context, IPeerHandler real)
    {
        handlers[node] = (context, real);
        return Handling is { } bend ? new BentHandler(real, (from, request, next) => bend(node, context, from, request, next)) : real;
    }

    public override IPartitionStores Stores(SimNode node, SimContext context, IPartitionStores real) =>
        Store is { } bend ? new BentStores(real, bend) : real;

    public override INodeState State(SimNode node, SimContext context, INodeState real) => NodeState?.Invoke(context, real) ?? real;

    public override async ValueTask<KvOutcome> Ask(SimNode node, KvRequest request, Func<KvRequest, ValueTask<KvOutcome>> real)
    {
        var outcome = await (Asking is { } bend ? bend(request, real) : real(request));
        return Answering is { } turn ? turn(node, request, outcome) : outcome;
    }

    private delegate ValueTask<PeerReply> Bend(NodeId peer, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next);

    private sealed class BentTransport(IPeerTransport real, Bend bend) : IPeerTransport
    {
        public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel) =>
            bend(to, request, sent => real.SendAsync(to, sent, lane, deadline, cancel));

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel) =>
            real.SendAsync(address, request, deadline, cancel);

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses) => real.SetPeers(addresses);
    }

    private sealed class BentHandler(IPeerHandler real, Bend bend) : IPeerHandler
    {
        public ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel) =>
            bend(from, request, handled => real.HandleAsync(from, handled, deadline, cancel));
    }

    private sealed class BentStores(IPartitionStores real, Func<IPartitionStore, IPartitionStore> bend) : IPartitionStores
    {
        public IReadOnlyCollection<PartitionId> Partitions => real.Partitions;

        public VolumeSpace Space => real.Space;

        public IReadOnlyDictionary<PartitionId, string> Damaged => real.Damaged;

        public event Action<PartitionId, string> FoundDamaged
        {
            add => real.FoundDamaged += value;
            remove => real.FoundDamaged -= value;
        }

        public ValueTask DiscardAsync(PartitionId partition, CancellationToken cancel) => real.DiscardAsync(partition, cancel);

        public async ValueTask<IPartitionStore> OpenAsync(PartitionId partition, CancellationToken cancel) => bend(await real.OpenAsync(partition, cancel));

        public ValueTask DisposeAsync() => real.DisposeAsync();
    }
}
