using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Membership;

/// <summary>
/// Who is up: the members that answered anything within <see cref="ClusterOptions.PeerDownAfter"/>. Only answers count, since a peer that is heard
/// but cannot be reached is of no use here. A connection that fails marks its peer down at once; to be up again it must answer heartbeats in a row,
/// the more of them the more often it went down lately. (Riak: riak_core_node_watcher.)
/// </summary>
internal sealed partial class NodeWatcher(
    ClusterOptions options, ClusterState state, IPeerTransport transport, TimeProvider time, BackgroundTasks background, ILogger<NodeWatcher> log)
{
    /// <summary>Heartbeats in a row that the most restless peer must answer.</summary>
    private const int MostAnswersNeeded = 8;

    /// <summary>A peer that stayed up for this many times <see cref="ClusterOptions.PeerDownAfter"/> is taken for calm again.</summary>
    private const int CalmAfter = 10;

    /// <summary>Guards <see cref="peers"/> with what is in it, and the two flags.</summary>
    private readonly Lock gate = new();
    private readonly Dictionary<NodeId, PeerHealth> peers = [];
    private bool isPublishing;
    private bool mustPublish;
    private readonly AsyncSignal wake = new(time);

    /// <summary>Asks all members once, so that the node does not begin by standing in for everybody; bounded by the time after which a peer counts as down.</summary>
    public async Task AskAllAsync(CancellationToken cancel)
    {
        FollowMembers(state.Current);
        await Task.WhenAll(Others(state.Current).Select(id => PingAsync(id, cancel)));
        Publish();
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(OnSnapshot);
        OnSnapshot(state.Current);
        while (!cancel.IsCancellationRequested)
        {
            foreach (var peer in DuePings())
            {
                background.Start(token => PingAsync(peer, token), cancel);
            }

            ExpireSilent();
            Publish();
            await wake.WaitAsync(options.HeartbeatInterval, cancel);
        }
    }

    /// <summary>How this node sees each other member, by id.</summary>
    public ImmutableArray<PeerView> View()
    {
        lock (gate)
        {
            return
            [
                .. peers.OrderBy(p => p.Key).Select(p => new PeerView(
                    p.Key, p.Value.IsUp, time.GetElapsedTime(p.Value.Since), p.Value.HasAnswered ? time.GetElapsedTime(p.Value.LastAnswer) : null)),
            ];
        }
    }

    /// <summary>The peer answered something. Hot: called with every reply.</summary>
    public void Answered(NodeId node)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            if (peers.TryGetValue(node, out var peer) && peer.IsUp)
            {
                peer.LastAnswer = now;
                peer.HasAnswered = true;
            }
        }
    }

    /// <summary>A message to the peer found no connection, or lost it.</summary>
    public void Failed(NodeId node)
    {
        lock (gate)
        {
            if (!peers.TryGetValue(node, out var peer))
            {
                return;
            }

            peer.AnswersInARow = 0;
            if (!peer.IsUp)
            {
                return;
            }

            TakeDown(node, peer, "its connection failed");
        }

        Publish();
    }

    private async Task PingAsync(NodeId node, CancellationToken cancel)
    {
        var reply = await transport.SendAsync(node, new PeerRequest.Heartbeat(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel);
        lock (gate)
        {
            if (!peers.TryGetValue(node, out var peer))
            {
                return;
            }

            peer.IsPinged = false;
            if (!Take(node, peer, reply is PeerReply.Done))
            {
                return;
            }
        }

        Publish();
    }

    /// <summary>Whether the heartbeat's end changes who is up.</summary>
    private bool Take(NodeId node, PeerHealth peer, bool isAnswered)
    {
        if (!isAnswered)
        {
            peer.AnswersInARow = 0;
            if (peer.IsUp && !peer.HasAnswered)
            {
                TakeDown(node, peer, "it did not answer");
                return true;
            }

            return false;
        }

        peer.HasAnswered = true;
        peer.LastAnswer = time.GetTimestamp();
        peer.AnswersInARow++;
        if (peer.IsUp || peer.AnswersInARow < Math.Min(1 + peer.TimesDown, MostAnswersNeeded))
        {
            return false;
        }

        peer.IsUp = true;
        peer.Since = peer.LastAnswer;
        LogUp(node, peer.AnswersInARow);
        return true;
    }

    private List<NodeId> DuePings()
    {
        var due = new List<NodeId>();
        lock (gate)
        {
            foreach (var (node, peer) in peers.OrderBy(p => p.Key))
            {
                if (!peer.IsPinged)
                {
                    peer.IsPinged = true;
                    due.Add(node);
                }
            }
        }

        return due;
    }

    private void ExpireSilent()
    {
        lock (gate)
        {
            foreach (var (node, peer) in peers)
            {
                if (peer.IsUp && time.GetElapsedTime(peer.LastAnswer) > options.PeerDownAfter)
                {
                    TakeDown(node, peer, "it was silent");
                }
                else if (peer.IsUp && peer.TimesDown > 0 && time.GetElapsedTime(peer.Since) > CalmAfter * options.PeerDownAfter)
                {
                    peer.TimesDown = 0;
                }
            }
        }
    }

    private void TakeDown(NodeId node, PeerHealth peer, string why)
    {
        peer.IsUp = false;
        peer.Since = time.GetTimestamp();
        peer.AnswersInARow = 0;
        peer.TimesDown = Math.Min(peer.TimesDown + 1, MostAnswersNeeded);
        LogDown(node, why);
    }

    private void OnSnapshot(ClusterSnapshot snapshot)
    {
        if (FollowMembers(snapshot))
        {
            Publish();
            wake.Set();
        }
    }

    /// <summary>
    /// Whether members came or went. A new one is taken for up until its first heartbeat tells: a node that has just joined is not to refuse
    /// requests because it knows nobody yet, and one that cannot be reached shows that at the first message.
    /// </summary>
    private bool FollowMembers(ClusterSnapshot snapshot)
    {
        var members = Others(snapshot).ToHashSet();
        lock (gate)
        {
            if (members.SetEquals(peers.Keys))
            {
                return false;
            }

            foreach (var gone in peers.Keys.Where(id => !members.Contains(id)).ToList())
            {
                peers.Remove(gone);
            }

            foreach (var id in members)
            {
                peers.TryAdd(id, new PeerHealth { IsUp = true, LastAnswer = time.GetTimestamp(), Since = time.GetTimestamp() });
            }

            return true;
        }
    }

    /// <summary>Swaps the up-set, newest last, without holding the lock while observers run.</summary>
    private void Publish()
    {
        lock (gate)
        {
            mustPublish = true;
            if (isPublishing)
            {
                return;
            }

            isPublishing = true;
        }

        while (true)
        {
            List<NodeId> up;
            lock (gate)
            {
                isPublishing = mustPublish;
                if (!mustPublish)
                {
                    return;
                }

                mustPublish = false;
                up = [.. peers.Where(p => p.Value.IsUp).Select(p => p.Key)];
            }

            state.SetUp(up);
        }
    }

    private static IEnumerable<NodeId> Others(ClusterSnapshot snapshot) =>
        (snapshot.Document?.Members ?? []).Select(m => m.Id).Where(id => id != snapshot.Self);

    private sealed class PeerHealth
    {
        public bool IsUp { get; set; }

        /// <summary>It answered something since it became a member or this node started.</summary>
        public bool HasAnswered { get; set; }

        /// <summary>A heartbeat is under way.</summary>
        public bool IsPinged { get; set; }

        public long LastAnswer { get; set; }

        /// <summary>When it went up, or down.</summary>
        public long Since { get; set; }

        public int AnswersInARow { get; set; }

        public int TimesDown { get; set; }
    }

    [LoggerMessage(2101, LogLevel.Information, "{Node} is up after {Answers} heartbeats")]
    private partial void LogUp(NodeId node, int answers);

    [LoggerMessage(2102, LogLevel.Warning, "{Node} is down: {Why}")]
    private partial void LogDown(NodeId node, string why);
}
