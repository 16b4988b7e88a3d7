using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;

namespace Kv.TestKit;

/// <summary>
/// The network between simulated nodes: delays, breaks, repeats and partitions, all from the world's seed. Messages are handed over as they are, so
/// nobody may change what it sent. Messages overtake each other as their delays have it. A node that is not attached is down: it cannot be reached.
/// Across a cut, which may be one way only, requests stay silent until their deadline.
/// </summary>
public sealed class SimNetwork(SimScheduler scheduler, SimNetworkOptions options)
{
    private readonly Dictionary<NodeId, (SimContext Context, IPeerHandler Handler)> attached = [];
    private readonly Dictionary<NodeId, string> addressOf = [];
    private readonly Dictionary<string, NodeId> addresses = new(StringComparer.Ordinal);
    private readonly HashSet<(NodeId From, NodeId To)> cuts = [];
    private readonly Dictionary<(NodeId From, NodeId To), double> slow = [];

    /// <summary>May be changed while the world runs.</summary>
    public SimNetworkOptions Options { get; set; } = options;

    /// <summary>For stories in which nodes move: a member that is not where the sender was told is not reached. Otherwise ids are enough.</summary>
    public bool FindsByAddress { get; set; }

    /// <summary>Requests sent so far.</summary>
    public long Sent { get; private set; }

    /// <summary>Requests that a node sent to its own address.</summary>
    public long SentToSelf { get; private set; }

    /// <summary>For stories: sees every request before it goes, and may say that it is lost (true).</summary>
    public Func<NodeId, NodeId, PeerRequest, bool>? Drop { get; set; }

    /// <summary>For stories: sees every request that goes, and says by how much it comes later than it would: its sender may have given it up, or be dead, by then.</summary>
    public Func<NodeId, NodeId, PeerRequest, TimeSpan>? Hold { get; set; }

    /// <summary>For stories: the same for every answer, by who answers and whom.</summary>
    public Func<NodeId, NodeId, PeerReply, TimeSpan>? HoldReply { get; set; }

    /// <summary>For stories: what becomes of each answer on its way, by who answers and whom.</summary>
    public Func<NodeId, NodeId, PeerReply, PeerReply>? Turn { get; set; }

    /// <summary>For stories: what a node that is asked answers without looking at it, as one of an older program does; null for what it answers itself.</summary>
    public Func<NodeId, NodeId, PeerRequest, PeerReply?>? Instead { get; set; }

    /// <summary>The node listens, in its context, at its id and its address.</summary>
    public void Attach(NodeId node, string address, SimContext context, IPeerHandler handler)
    {
        attached[node] = (context, handler);
        addresses[address] = node;
        addressOf[node] = address;
    }

    public void Detach(NodeId node) => attached.Remove(node);

    /// <summary>The two hear nothing of each other any more.</summary>
    public void Cut(NodeId a, NodeId b)
    {
        cuts.Add((a, b));
        cuts.Add((b, a));
    }

    /// <summary>Nothing that one sends reaches the other; what the other sends arrives, and its answers do not.</summary>
    public void CutOneWay(NodeId from, NodeId to) => cuts.Add((from, to));

    /// <summary>Messages on this way take so many times as long.</summary>
    public void Slow(NodeId from, NodeId to, double factor) => slow[(from, to)] = factor;

    /// <summary>The two hear each other again.</summary>
    public void Heal(NodeId a, NodeId b)
    {
        cuts.Remove((a, b));
        cuts.Remove((b, a));
    }

    /// <summary>No link is cut or slow any more.</summary>
    public void HealAll()
    {
        cuts.Clear();
        slow.Clear();
    }

    public bool IsCut(NodeId from, NodeId to) => cuts.Contains((from, to));

    public bool IsAttached(NodeId node) => attached.ContainsKey(node);

    /// <summary>The node's end of the network; made anew for each incarnation.</summary>
    public IPeerTransport TransportOf(NodeId node, SimContext context) => new Transport(this, node, context);

    private TimeSpan Delay(NodeId from, NodeId to)
    {
        var span = Options.MostDelay - Options.LeastDelay;
        var delay = (Options.LeastDelay + (span * scheduler.Random.NextDouble())) * slow.GetValueOrDefault((from, to), 1);
        return Chance(Options.Straggling) ? delay * Options.StraggleFactor : delay;
    }

    private bool Chance(double chance) => chance > 0 && scheduler.Random.NextDouble() < chance;

    private ValueTask<PeerReply> Send(NodeId from, SimContext sender, NodeId to, PeerRequest request, Deadline deadline)
    {
        Sent++;
        var reply = new TaskCompletionSource<PeerReply>();
        sender.After(deadline.Left(sender.Time), () => reply.TrySetResult(new PeerReply.TimedOut()));
        scheduler.Note($"{from} -> {to} {request.GetType().Name}");
        if (IsCut(from, to) || Drop?.Invoke(from, to, request) == true)
        {
            return new(reply.Task);
        }

        var isListening = IsAttached(to);
        if (!isListening || Chance(Options.RequestLoss))
        {
            sender.After(Delay(to, from), () => reply.TrySetResult(new PeerReply.Unreachable { WasSent = isListening }));
            return new(reply.Task);
        }

        var held = Hold?.Invoke(from, to, request) ?? TimeSpan.Zero;

        // Streams give a message once. All but what is forwarded bear to come twice, which stands for a sender that asks again.
        var copies = Chance(Options.Duplication) && request is not PeerRequest.Forward ? 2 : 1;
        for (var copy = 0; copy < copies; copy++)
        {
            var left = deadline.Left(sender.Time);
            scheduler.World.After(Delay(from, to) + held, () => Deliver(from, sender, to, request, left, reply));
        }

        return new(reply.Task);
    }

    private void Deliver(NodeId from, SimContext sender, NodeId to, PeerRequest request, TimeSpan left, TaskCompletionSource<PeerReply> reply)
    {
        if (!attached.TryGetValue(to, out var target))
        {
            sender.After(Delay(to, from), () => reply.TrySetResult(new PeerReply.Unreachable { WasSent = true }));
            return;
        }

        target.Context.Invoke(() => _ = AnswerAsync(from, sender, to, target.Context, target.Handler, request, left, reply));
    }

    private async Task AnswerAsync(
        NodeId from, SimContext sender, NodeId to, SimContext receiver, IPeerHandler handler, PeerRequest request, TimeSpan left, TaskCompletionSource<PeerReply> reply)
    {
        var answer = Instead?.Invoke(from, to, request) ?? await handler.HandleAsync(from, request, Deadline.After(receiver.Time, left), CancellationToken.None);
        if (IsCut(to, from))
        {
            return;
        }

        var heard = Chance(Options.ReplyLoss) ? new PeerReply.Unreachable { WasSent = true } : Turn?.Invoke(to, from, answer) ?? answer;
        scheduler.Note($"{from} <- {to} {heard.GetType().Name}");
        sender.After(Delay(to, from) + (HoldReply?.Invoke(to, from, heard) ?? TimeSpan.Zero), () => reply.TrySetResult(heard));
    }

    private sealed class Transport(SimNetwork network, NodeId self, SimContext context) : IPeerTransport
    {
        private IReadOnlyDictionary<NodeId, string> peers = new Dictionary<NodeId, string>();

        public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
        {
            if (to == self)
            {
                throw new InvalidOperationException("a node sent to itself");
            }

            return network.FindsByAddress && peers.GetValueOrDefault(to) != network.addressOf.GetValueOrDefault(to)
                ? new ValueTask<PeerReply>(new PeerReply.Unreachable())
                : network.Send(self, context, to, request, deadline);
        }

        public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel)
        {
            if (network.addresses.TryGetValue(address, out var to) && to != self && (!network.FindsByAddress || network.addressOf[to] == address))
            {
                return network.Send(self, context, to, request, deadline);
            }

            network.SentToSelf += to == self ? 1 : 0;
            return new ValueTask<PeerReply>(new PeerReply.Unreachable());
        }

        public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses) => peers = addresses;
    }
}
