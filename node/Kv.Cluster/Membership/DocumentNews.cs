using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>
/// Tells nodes of decided documents, one at a time to each: while a node is told, only the newest that came meanwhile waits. However many versions are decided
/// while a node is silent, there is one message on its way to it and one document that waits. Whoever misses one asks when it sees the newer version.
/// </summary>
internal sealed class DocumentNews(ClusterOptions options, IPeerTransport transport, TimeProvider time, BackgroundTasks background)
{
    /// <summary>Nodes that are told at one time: the members of a document, and as many that are none any more.</summary>
    private const int MaxNodes = 2 * ClusterDocument.MaxMembers;

    private readonly Lock gate = new();

    /// <summary>Of each node that is being told, what it is told next.</summary>
    private readonly Dictionary<NodeId, News?> waiting = [];

    private sealed record News(string? Address, ClusterDocument Document);

    /// <summary>Returns at once.</summary>
    /// <param name="to">A member of the document; not this node.</param>
    /// <param name="document">Decided.</param>
    /// <param name="cancel">Ends the telling; the node stops.</param>
    public void Tell(NodeId to, ClusterDocument document, CancellationToken cancel) => Tell(to, new News(null, document), cancel);

    /// <summary>As <see cref="Tell(NodeId, ClusterDocument, CancellationToken)"/>, a node that the document does not list, by its peer address.</summary>
    public void Tell(NodeId to, string address, ClusterDocument document, CancellationToken cancel) => Tell(to, new News(address, document), cancel);

    private void Tell(NodeId to, News news, CancellationToken cancel)
    {
        lock (gate)
        {
            if (waiting.TryGetValue(to, out var next))
            {
                waiting[to] = next is null || next.Document.Version < news.Document.Version ? news : next;
                return;
            }

            if (waiting.Count >= MaxNodes)
            {
                return;
            }

            waiting.Add(to, null);
        }

        background.Start(token => TellAsync(to, news, token), cancel);
    }

    private async Task TellAsync(NodeId to, News news, CancellationToken cancel)
    {
        try
        {
            for (News? next = news; next is not null; next = TakeNext(to))
            {
                await SendAsync(to, next, cancel);
            }
        }
        catch
        {
            lock (gate)
            {
                waiting.Remove(to);
            }

            throw;
        }
    }

    private async ValueTask SendAsync(NodeId to, News news, CancellationToken cancel)
    {
        var request = new PeerRequest.LearnDocument(news.Document);
        var deadline = Deadline.After(time, options.PeerDownAfter);
        _ = news.Address is { } address
            ? await transport.SendAsync(address, request, deadline, cancel)
            : await transport.SendAsync(to, request, PeerLane.Request, deadline, cancel);
    }

    private News? TakeNext(NodeId to)
    {
        lock (gate)
        {
            if (waiting[to] is not { } next)
            {
                waiting.Remove(to);
                return null;
            }

            waiting[to] = null;
            return next;
        }
    }
}
