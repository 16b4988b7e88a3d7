using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Membership;

/// <summary>
/// Finds members that are not where the document says, as when all moved at once: asks the seeds (addresses from the settings, where members may be) who they are while
/// some member is not up, and remembers where a member answered until the document has another address for it. It is only where messages go: whoever is there still shows its id
/// and its cluster to the transport, and the document is changed by each node for itself (<see cref="SelfDescription"/>).
/// </summary>
internal sealed partial class SeedSearch(ClusterOptions options, Member self, ClusterState state, IPeerTransport transport, TimeProvider time, ILogger<SeedSearch> log)
{
    /// <summary>Seeds asked at once: a transport keeps few connections to mere addresses.</summary>
    private const int AskedAtOnce = 16;

    private readonly AsyncSignal wake = new(time);
    private volatile ImmutableDictionary<NodeId, Sighting> found = ImmutableDictionary<NodeId, Sighting>.Empty;

    /// <summary>Where a member answered, and the address that it was not at.</summary>
    private sealed record Sighting(string Address, string? Instead);

    /// <summary>Where this node reaches the other members.</summary>
    public Dictionary<NodeId, string> AddressesOf(ClusterDocument document)
    {
        var addresses = PeerEndpoint.OthersOf(document, self);
        foreach (var (node, sighting) in found)
        {
            if (document.FindMember(node) is { } member && AddressOf(member) == sighting.Instead)
            {
                addresses[node] = sighting.Address;
            }
        }

        return addresses;
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await wake.WaitAsync(options.GossipInterval, cancel);
            await FindAsync(cancel);
        }
    }

    /// <summary>Asks the seeds, if a member is missed. True where one was found at another address than before; the transport knows it then.</summary>
    public async Task<bool> FindAsync(CancellationToken cancel)
    {
        var isNews = false;
        var snapshot = state.Current;
        if (snapshot.Document is not { } document || options.Seeds.IsEmpty || document.Members.All(member => member.Id == self.Id || snapshot.IsUp(member.Id)))
        {
            return false;
        }

        foreach (var seeds in options.Seeds.Where(seed => seed != AddressOf(self)).Chunk(AskedAtOnce))
        {
            var answers = await Task.WhenAll(seeds.Select(seed => AskAsync(seed, document.ClusterId, cancel)));
            for (var i = 0; i < seeds.Length; i++)
            {
                isNews |= answers[i] is { } node && Note(node, seeds[i]);
            }
        }

        if (isNews && state.Current.Document is { } current)
        {
            transport.SetPeers(AddressesOf(current));
        }

        return isNews;
    }

    /// <summary>Which node of this cluster answers there; null where none does.</summary>
    private async Task<NodeId?> AskAsync(string seed, Guid cluster, CancellationToken cancel)
    {
        var reply = await transport.SendAsync(seed, new PeerRequest.Identify(), Deadline.After(time, options.PeerDownAfter), cancel);
        return reply is PeerReply.Identity { ClusterId: { } id, Node.Id: var node } && id == cluster && node != self.Id ? node : null;
    }

    private bool Note(NodeId node, string seed)
    {
        if (state.Current.Document is not { } document || document.FindMember(node) is not { } member || AddressesOf(document).GetValueOrDefault(node) == seed)
        {
            return false;
        }

        found = found.SetItem(node, new Sighting(seed, AddressOf(member)));
        LogFound(node, seed, AddressOf(member));
        return true;
    }

    private static string? AddressOf(Member member) => member.Endpoints.GetValueOrDefault(PeerEndpoint.Name);

    [LoggerMessage(2106, LogLevel.Information, "{Node} answers at the seed {Seed}, and not at {Address} where the document has it")]
    private partial void LogFound(NodeId node, string seed, string? address);
}
