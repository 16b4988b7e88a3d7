using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Reaping;

/// <summary>Asks the other members for their clocks, where some bucket type has a `ttl`, and says when this node's is ahead of most.</summary>
internal sealed partial class ClockWatcher(ClusterOptions options, ClusterState state, MemberClocks clocks, IPeerTransport transport, TimeProvider time, ILogger<ClockWatcher> log)
{
    private readonly AsyncSignal wake = new(time);
    private bool hasExpiring;
    private bool isAhead;

    public static bool HasExpiring(ClusterDocument document) => document.BucketTypes.Values.Any(type => type.Props.TtlSeconds is not null);

    /// <summary>Whose clocks count: not those of nodes that are not in yet, or that an administrator has marked as down.</summary>
    public static IReadOnlyCollection<NodeId> Counted(ClusterSnapshot snapshot) =>
        snapshot.Document is { } document ? [.. document.Members.Where(static member => member.State is not (MemberState.Joining or MemberState.Down)).Select(static member => member.Id)] : [];

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(OnSnapshot);
        while (!cancel.IsCancellationRequested)
        {
            if (state.Current is { Document: { } document } snapshot && HasExpiring(document))
            {
                var shown = await Task.WhenAll(Counted(snapshot).Where(member => member != snapshot.Self && snapshot.IsUp(member)).Select(member => AskAsync(member, cancel)));
                clocks.Learn(shown.OfType<(NodeId, long)>());
                Say();
            }

            await wake.WaitAsync(options.ClockInterval, cancel);
        }
    }

    /// <summary>The first type with a `ttl` is not to wait: what is written to it is stamped.</summary>
    private void OnSnapshot(ClusterSnapshot snapshot)
    {
        var had = hasExpiring;
        hasExpiring = snapshot.Document is { } document && HasExpiring(document);
        if (hasExpiring && !had)
        {
            wake.Set();
        }
    }

    /// <summary>Null where it did not answer in time, or its program does not know the question.</summary>
    private async Task<(NodeId Member, long Distance)?> AskAsync(NodeId member, CancellationToken cancel)
    {
        var asked = time.GetTimestamp();
        var reply = await transport.SendAsync(member, new PeerRequest.GetTime(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel);
        return reply is PeerReply.Time answer && clocks.Distance(answer.Microseconds, asked) is { } distance ? (member, distance) : null;
    }

    private void Say()
    {
        var ahead = clocks.Ahead;
        if (ahead > TimeSpan.Zero != isAhead)
        {
            isAhead = !isAhead;
            if (isAhead)
            {
                LogAhead(ahead);
            }
            else
            {
                LogRight();
            }
        }
    }

    [LoggerMessage(2410, LogLevel.Error, "this node's clock is ahead of most members' by {Ahead} and more: objects with a `ttl` are judged by theirs. Set the clock")]
    private partial void LogAhead(TimeSpan ahead);

    [LoggerMessage(2411, LogLevel.Information, "this node's clock goes as most members' do again")]
    private partial void LogRight();
}
