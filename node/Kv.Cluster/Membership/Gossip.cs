using System.Collections.Concurrent;
using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// How documents spread beyond those who are told of a change at once: every message carries its sender's document version, and whoever sees a
/// newer one than its own asks for it. Remembers which version each member has shown.
/// </summary>
internal sealed class Gossip(
    ClusterOptions options,
    ClusterState state,
    DocumentStore documents,
    IPeerTransport transport,
    TimeProvider time,
    Random random,
    BackgroundTasks background)
{
    private readonly ConcurrentDictionary<NodeId, long> versions = new();
    private readonly ConcurrentDictionary<NodeId, bool> fetching = new();
    private readonly AsyncSignal wake = new(time);

    /// <summary>Ends what is under way when the node stops; set before the first message.</summary>
    public CancellationToken Stopping { get; set; }

    /// <summary>The newest version that the member has shown; 0 if none.</summary>
    public long VersionOf(NodeId node) => node == state.Current.Self ? state.Current.DocumentVersion : versions.GetValueOrDefault(node);

    /// <summary>Members of the document that satisfy <paramref name="counts"/> and have not shown <paramref name="version"/> or a newer one.</summary>
    public IEnumerable<Member> Behind(ClusterDocument document, long version, Func<Member, bool> counts) =>
        document.Members.Where(m => counts(m) && VersionOf(m.Id) < version);

    /// <summary>A message showed the sender's version. Hot: called with every message.</summary>
    public void Saw(NodeId node, long version)
    {
        if (version == 0)
        {
            TeachIfNew(node);
            return;
        }

        if (version <= versions.GetValueOrDefault(node))
        {
            return;
        }

        versions.AddOrUpdate(node, version, (_, known) => Math.Max(known, version));
        if (version > state.Current.DocumentVersion && !Stopping.IsCancellationRequested && fetching.TryAdd(node, true))
        {
            background.Start(token => FetchAsync(node, token), Stopping);
        }
    }

    /// <summary>
    /// A member without a document missed that its join was staged, and knows nobody whom it could ask: it is told again. Not by one who is joining itself: two whose
    /// joins were taken back would tell each other the old document for ever.
    /// </summary>
    private void TeachIfNew(NodeId node)
    {
        if (state.Current is { Document: { } document, SelfState: not MemberState.Joining } && document.FindMember(node) is not null && !Stopping.IsCancellationRequested && fetching.TryAdd(node, true))
        {
            background.Start(token => TeachAsync(node, document, token), Stopping);
        }
    }

    private async Task TeachAsync(NodeId node, ClusterDocument document, CancellationToken cancel)
    {
        try
        {
            var deadline = Deadline.After(time, options.GossipInterval);
            await transport.SendAsync(node, new PeerRequest.LearnDocument(document), PeerLane.Request, deadline, cancel);
        }
        finally
        {
            fetching.TryRemove(node, out _);
        }
    }

    /// <summary>Asks a random member now and then, so that a node that talks to nobody else is no exception.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await wake.WaitAsync(options.GossipInterval, cancel);
            var others = (state.Current.Document?.Members ?? []).Where(m => m.Id != state.Current.Self).ToList();
            if (others.Count > 0)
            {
                var node = others[random.Next(others.Count)].Id;
                if (fetching.TryAdd(node, true))
                {
                    await FetchAsync(node, cancel);
                }
            }
        }
    }

    private async Task FetchAsync(NodeId node, CancellationToken cancel)
    {
        try
        {
            var deadline = Deadline.After(time, options.GossipInterval);
            var reply = await transport.SendAsync(node, new PeerRequest.GetDocument(), PeerLane.Request, deadline, cancel);
            if (reply is PeerReply.Document { Held: { } newer })
            {
                await documents.LearnAsync(newer, cancel);
            }
        }
        finally
        {
            fetching.TryRemove(node, out _);
        }
    }
}
