using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Handoff;

/// <summary>
/// What this node does for owners that rebuild a partition, itself among them: reads what it holds under partitions that share keys with it, and sends those keys that are meant. An owner
/// asks until it hears that all is with it; what was sent is forgotten with this process and then sent again. Drops nothing.
/// </summary>
internal sealed partial class RebuildSource(
    ClusterOptions options,
    ClusterState state,
    VnodeHost host,
    HandoffSender sender,
    TimeProvider time,
    BackgroundTasks background,
    HandoffStatistics statistics,
    ILogger<RebuildSource> log)
{
    /// <summary>Guards <see cref="feeds"/>, what is in the feeds, and <see cref="running"/>.</summary>
    private readonly Lock gate = new();
    private readonly Dictionary<(PartitionId Partition, RebuildStep Step), RebuildFeed> feeds = [];
    private readonly AsyncSignal wake = new(time);

    /// <summary>Feeds under way, those among them that nobody waits for any more.</summary>
    private int running;

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            foreach (var feed in TakeDue(state.Current))
            {
                background.Start(token => RunFeedAsync(feed, token), cancel);
            }

            await wake.WaitAsync(options.HandoffInterval, cancel);
        }
    }

    /// <summary>Answers an owner, or this node as one.</summary>
    public PeerReply Handle(NodeId from, PeerRequest.Rebuild ask)
    {
        var snapshot = state.Current;
        if (!IsWanted(snapshot, ask.Partition, from, ask.PlannedAt))
        {
            return new PeerReply.WrongOwner();
        }

        if (Broken(snapshot, ask.Partition) is { } broken)
        {
            return new PeerReply.Rebuilding(broken);
        }

        return ask.Step == RebuildStep.SendHeld && !Sources(snapshot, ask.Partition, ask.Step).Any() ? new PeerReply.Done() : HandleSend(snapshot.Self, from, ask);
    }

    /// <summary>What is sent from here.</summary>
    public ImmutableArray<TransferView> View()
    {
        lock (gate)
        {
            return [.. feeds.Values.Where(feed => !feed.IsDone).OrderBy(feed => feed.Job.Partition).Select(feed => feed.Job.View(time))];
        }
    }

    /// <summary>Partitions that are being sent.</summary>
    public int Running
    {
        get
        {
            lock (gate)
            {
                return running;
            }
        }
    }

    private PeerReply HandleSend(NodeId self, NodeId owner, PeerRequest.Rebuild ask)
    {
        lock (gate)
        {
            RemoveWhere(feed => feed.Job.Partition == ask.Partition && !feed.IsFor(ask));
            if (!feeds.TryGetValue((ask.Partition, ask.Step), out var feed))
            {
                feed = new RebuildFeed(new Transfer(ask.Partition, self, owner, ask.PlannedAt), ask.Attempt, ask.Step, time.GetTimestamp());
                feeds.Add((ask.Partition, ask.Step), feed);
                wake.Set();
            }

            return feed.IsDone ? new PeerReply.Done() : new PeerReply.Rebuilding(feed.Job.LastError);
        }
    }

    private void RemoveWhere(Func<RebuildFeed, bool> isOver)
    {
        foreach (var (key, feed) in feeds.Where(feed => isOver(feed.Value)).ToList())
        {
            feed.Job.Stop();
            feeds.Remove(key);
        }
    }

    private List<RebuildFeed> TakeDue(ClusterSnapshot snapshot)
    {
        var starting = new List<RebuildFeed>();
        lock (gate)
        {
            RemoveWhere(feed => !IsWanted(snapshot, feed.Job.Partition, feed.Job.Target, feed.Job.Transfer.PlannedAt));
            var now = time.GetTimestamp();
            var due = feeds.Values
                .Where(feed => !feed.IsDone && !feed.Job.IsRunning && feed.Job.NotBefore <= now && snapshot.IsUp(feed.Job.Target))
                .OrderBy(feed => feed.Job.Failures).ThenBy(feed => feed.Job.CreatedAt).ThenBy(feed => feed.Job.Partition);
            foreach (var feed in due.Take(options.RebuildConcurrency - running).ToList())
            {
                feed.Job.IsRunning = true;
                running++;
                starting.Add(feed);
            }
        }

        return starting;
    }

    private async Task RunFeedAsync(RebuildFeed feed, CancellationToken cancel)
    {
        string? problem = "interrupted";
        try
        {
            problem = await SendAllAsync(feed, cancel);
        }
        finally
        {
            Conclude(feed, problem);
        }
    }

    private async ValueTask<string?> SendAllAsync(RebuildFeed feed, CancellationToken cancel)
    {
        var snapshot = state.Current;
        var partition = feed.Job.Partition;
        var sources = Sources(snapshot, partition, feed.Step).OrderBy(vnode => vnode.Partition).ToList();
        feed.Job.Begin(sources.Sum(vnode => vnode.ApproximateCount), time.GetTimestamp());
        foreach (var vnode in sources)
        {
            if (await sender.SendMeantAsync(vnode, feed.Job, key => IsMeant(key, partition), cancel) is { } problem)
            {
                return $"partition {vnode.Partition}: {problem}";
            }
        }

        return null;
    }

    private void Conclude(RebuildFeed feed, string? problem)
    {
        var hasFailed = problem is not null && !feed.Job.IsStopped;
        lock (gate)
        {
            running--;
            feed.IsDone = problem is null;
            feed.Job.Conclude(problem, hasFailed, options.HandoffInterval, time);
        }

        if (hasFailed)
        {
            statistics.Failed(TransferKind.Rebuild);
            LogFailed(feed.Job.Partition, feed.Job.Target, problem!);
        }
        else if (feed.IsDone)
        {
            statistics.Completed(TransferKind.Rebuild, 1);
            LogSent(feed.Job.Partition, feed.Job.Target, feed.Job.ObjectsSent);
        }

        if (feed.IsDone && feed.Job.RefusedText is { } refused)
        {
            LogRefused(feed.Job.Partition, feed.Job.Target, refused);
        }

        wake.Set();
    }

    /// <summary>Whether the document in force has this owner rebuild the partition, by this plan.</summary>
    private static bool IsWanted(ClusterSnapshot snapshot, PartitionId partition, NodeId owner, long plannedAt) =>
        snapshot.Document is { Ring: var ring }
        && ring.PlannedAt == plannedAt
        && ring.IsRebuilding(partition)
        && ring.Owner(partition) == owner;

    /// <summary>The vnodes here, of whatever owner, that may hold keys of the partition.</summary>
    private IEnumerable<Vnode> Near(ClusterSnapshot snapshot, PartitionId partition)
    {
        var document = snapshot.Document!;
        var most = DocumentRules.ReplicaCounts(document)[^1];
        return host.Open.Where(vnode => vnode.Partition.Number < document.Ring.Size && PreferenceList.Share(document.Ring, vnode.Partition, partition, most));
    }

    /// <summary>
    /// What a step sends. First what is held here for others, whoever they are: from here on it may go home behind a fold of its owner's that has passed, or stay here because its owner refuses it.
    /// </summary>
    private IEnumerable<Vnode> Sources(ClusterSnapshot snapshot, PartitionId partition, RebuildStep step) => Near(snapshot, partition)
        .Where(vnode => step == RebuildStep.SendHeld ? !HandoffReceiver.IsHome(snapshot, vnode.Partition) : vnode.Partition != partition);

    /// <summary>What is held here and cannot be read may be the last of something, until somebody gives it up.</summary>
    private string? Broken(ClusterSnapshot snapshot, PartitionId partition)
    {
        var (ring, most) = (snapshot.Document!.Ring, DocumentRules.ReplicaCounts(snapshot.Document)[^1]);
        var near = host.Damaged.Keys
            .Where(p => p.Number < ring.Size && PreferenceList.Share(ring, p, partition, most) && !(ring.Owner(p) == snapshot.Self && ring.IsRebuilding(p))).Order().ToList();
        return near.Count == 0 ? null : $"its data of partitions {string.Join(", ", near)} is damaged, and may be the last of something: rebuild these too";
    }

    /// <summary>Whether the partition is one of the key's. One that cannot be read is sent: the owner refuses it, and says so, and it stays here.</summary>
    private bool IsMeant(ReadOnlyMemory<byte> stored, PartitionId partition)
    {
        if (state.Current.Document is not { } document || !ObjectKeyCodec.TryDecode(stored, out var key))
        {
            return true;
        }

        var props = document.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) ?? BucketProps.NewType;
        return PreferenceList.Holds(document.Ring, RingHash.FirstPartition(key, props.ChashKeyFun, document.Ring.Size), props.NVal, partition);
    }

    [LoggerMessage(2133, LogLevel.Warning, "what is held here of partition {Partition} could not be sent to {Owner}, which rebuilds it: {Problem}")]
    private partial void LogFailed(PartitionId partition, NodeId owner, string problem);

    [LoggerMessage(2134, LogLevel.Information, "partition {Partition}: {Objects} objects were sent to {Owner}, which rebuilds it")]
    private partial void LogSent(PartitionId partition, NodeId owner, long objects);

    [LoggerMessage(2135, LogLevel.Warning, "what is held here of partition {Partition} is with {Owner}, which rebuilds it, but for what that refuses: {Refused}")]
    private partial void LogRefused(PartitionId partition, NodeId owner, string refused);
}
