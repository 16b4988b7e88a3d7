using System.Globalization;
using System.Net;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.Wire.Access;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Peer;

/// <summary>
/// <see cref="IPeerTransport"/> over gRPC: for each peer and lane one connection with one duplex stream, over which messages are pipelined and
/// batched (design section 8). Safe to call from any thread. Ended by <see cref="DisposeAsync"/>, which answers what is under way as unreachable.
/// </summary>
public sealed class GrpcPeerTransport : IPeerTransport, IAsyncDisposable
{
    private readonly PeerLinkContext context;
    private readonly ILogger logger;
    private readonly ITimer timer;

    // Guards the two tables, which are swapped whole: a send reads them without it.
    private readonly Lock gate = new();
    private volatile Dictionary<NodeId, Links> members = [];
    private volatile Dictionary<string, PeerLink> addresses = [];
    private bool disposed;

    /// <summary>The random source draws jitter alone. With <paramref name="tls"/>, peers are called by TLS, and shown this node's certificate.</summary>
    public GrpcPeerTransport(
        PeerIdentity identity, PeerTransportOptions options, RequestMemory memory, TimeProvider time, Random random, ILogger<GrpcPeerTransport> logger, NodeTls? tls = null)
    {
        context = new PeerLinkContext(identity, options, memory, time, random, tls);
        this.logger = logger;
        timer = time.CreateTimer(static state => ((GrpcPeerTransport)state!).Tick(), this, options.DeadlineTick, options.DeadlineTick);
    }

    private sealed record Links(PeerLink Requests, PeerLink Bulk)
    {
        public PeerLink Of(PeerLane lane) => lane == PeerLane.Bulk ? Bulk : Requests;
    }

    public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, PeerLane lane, Deadline deadline, CancellationToken cancel)
    {
        if (to == context.Identity.Self)
        {
            throw new ArgumentException("a node does not send to itself", nameof(to));
        }

        return members.TryGetValue(to, out var links)
            ? links.Of(lane).SendAsync(request, deadline, cancel)
            : new ValueTask<PeerReply>(new PeerReply.Unreachable());
    }

    public ValueTask<PeerReply> SendAsync(string address, PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        if (!IsAddress(address))
        {
            return new ValueTask<PeerReply>(new PeerReply.Refused($"invalid_address: `{address}` is not host:port"));
        }

        return LinkTo(address) is { } link
            ? link.SendAsync(request, deadline, cancel)
            : new ValueTask<PeerReply>(new PeerReply.Overloaded());
    }

    public void SetPeers(IReadOnlyDictionary<NodeId, string> addresses)
    {
        var dropped = new List<PeerLink>();
        lock (gate)
        {
            if (disposed)
            {
                return;
            }

            var next = new Dictionary<NodeId, Links>();
            foreach (var (peer, address) in addresses)
            {
                if (peer != context.Identity.Self && IsAddress(address))
                {
                    next[peer] = members.TryGetValue(peer, out var links) && links.Requests.Address == address ? links : Open(peer, address);
                }
            }

            foreach (var (peer, links) in members)
            {
                if (!next.TryGetValue(peer, out var kept) || !ReferenceEquals(kept, links))
                {
                    dropped.Add(links.Requests);
                    dropped.Add(links.Bulk);
                }
            }

            members = next;
        }

        foreach (var link in dropped)
        {
            _ = link.DisposeAsync().AsTask();
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<PeerLink> all;
        lock (gate)
        {
            disposed = true;
            all = [.. AllLinks()];
            (members, addresses) = ([], []);
        }

        await timer.DisposeAsync();
        foreach (var link in all)
        {
            await link.DisposeAsync();
        }
    }

    /// <summary>`host:port`, with the host a name, an IPv4 address or an IPv6 address in brackets.</summary>
    private static bool IsAddress(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || address.Length > 300 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return false;
        }

        var host = address[..colon];
        return host[0] == '['
            ? host[^1] == ']' && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out _)
            : Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
    }

    private Links Open(NodeId peer, string address) =>
        new(new PeerLink(context, peer, address, PeerLane.Request, logger), new PeerLink(context, peer, address, PeerLane.Bulk, logger));

    private PeerLink? LinkTo(string address)
    {
        if (addresses.TryGetValue(address, out var known))
        {
            return known;
        }

        lock (gate)
        {
            if (disposed || addresses.Count >= context.Options.AddressLinks)
            {
                return null;
            }

            if (addresses.TryGetValue(address, out known))
            {
                return known;
            }

            var link = new PeerLink(context, NodeId.None, address, PeerLane.Request, logger);
            addresses = new Dictionary<string, PeerLink>(addresses) { [address] = link };
            return link;
        }
    }

    private IEnumerable<PeerLink> AllLinks()
    {
        foreach (var links in members.Values)
        {
            yield return links.Requests;
            yield return links.Bulk;
        }

        foreach (var link in addresses.Values)
        {
            yield return link;
        }
    }

    private void Tick()
    {
        var now = context.Time.GetTimestamp();
        var tick = context.Tick(now);
        foreach (var link in AllLinks())
        {
            link.Expire(tick);
        }

        DropIdleAddresses(now);
    }

    private void DropIdleAddresses(long now)
    {
        if (addresses.Count == 0)
        {
            return;
        }

        var dropped = new List<PeerLink>();
        lock (gate)
        {
            foreach (var (address, link) in addresses)
            {
                if (link.IsUnused && context.Time.GetElapsedTime(link.LastUsed, now) > context.Options.AddressLinkIdle)
                {
                    dropped.Add(link);
                }
            }

            if (dropped.Count > 0)
            {
                addresses = addresses.Where(pair => !dropped.Contains(pair.Value)).ToDictionary();
            }
        }

        foreach (var link in dropped)
        {
            _ = link.DisposeAsync().AsTask();
        }
    }
}
