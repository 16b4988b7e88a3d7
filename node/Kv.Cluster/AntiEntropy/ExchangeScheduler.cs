using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Sees to it that any two vnodes that hold the same keys compare their hash trees, again and again, those first that did so longest ago. Of a pair the one that comes
/// first in the keys' preference list asks. None runs while either partition is on its way elsewhere, the peer is down, the two nodes' documents differ, or trees are to be
/// built first. All state but the figures follows from the document and what is open. (Riak: riak_kv_entropy_manager.)
/// </summary>
internal sealed partial class ExchangeScheduler(
    ClusterOptions options,
    ClusterState state,
    VnodeHost host,
    TreeLocks locks,
    TreeResponder responder,
    TreeBuilder builder,
    Pace pace,
    IPeerTransport transport,
    KvClient client,
    TimeProvider time,
    Random random,
    BackgroundTasks background,
    AntiEntropyStatistics statistics,
    ILogger<ExchangeScheduler> log)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    /// <summary>A failed exchange waits for 1, 2, 4, … times the retry pause, at most this many, give or take a half.</summary>
    private const int LongestBackOff = 64;

    /// <summary>Guards <see cref="jobs"/> with what is in them.</summary>
    private readonly Lock gate = new();
    private readonly Dictionary<ExchangePair, ExchangeJob> jobs = [];
    private readonly AsyncSignal wake = new(time);

    public async Task RunAsync(CancellationToken cancel)
    {
        builder.OnBuilt = wake.Set;
        background.Start(builder.RunAsync, cancel);
        while (!cancel.IsCancellationRequested)
        {
            foreach (var (job, run) in Plan(state.Current))
            {
                background.Start(token => RunJobAsync(job, run, token), cancel);
            }

            await wake.WaitAsync(LookInterval, cancel);
        }
    }

    public AntiEntropyView View()
    {
        lock (gate)
        {
            return new AntiEntropyView(
                host.Layouts.Current is not null,
                builder.View(),
                [.. jobs.Values.OrderBy(job => job.Pair.Partition).ThenBy(job => job.Pair.Range).ThenBy(job => job.Pair.Peer).Select(ViewOf)]);
        }
    }

    /// <summary>Exchanges that this node asked for and that are under way.</summary>
    public int Running
    {
        get
        {
            lock (gate)
            {
                return jobs.Values.Count(job => job.IsRunning);
            }
        }
    }

    /// <summary>Compares a partition of this node's with all that hold the same keys, as soon as may be. Gives the number of comparisons; 0 where the node does not own it.</summary>
    public int Want(PartitionId partition)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { Ring: var ring } || host.Layouts.Current is not { } layout || partition.Number >= ring.Size || ring.Owner(partition) != snapshot.Self)
        {
            return 0;
        }

        var wanted = 0;
        lock (gate)
        {
            foreach (var pair in PairsOf(partition, layout, alsoLater: true))
            {
                if (!jobs.TryGetValue(pair, out var job))
                {
                    jobs.Add(pair, job = new ExchangeJob(pair) { Peer = ring.Owner(pair.Peer) });
                }

                (job.IsWanted, job.NotBefore, job.Failures) = (true, 0, 0);
                wanted++;
            }
        }

        wake.Set();
        return wanted;
    }

    private ExchangeView ViewOf(ExchangeJob job)
    {
        var standing = (job.IsRunning, job.LastError) switch
        {
            (true, _) => ExchangeState.Running,
            (_, "") => ExchangeState.Waiting,
            _ => ExchangeState.Failed,
        };
        TimeSpan? since = job.EndedAt is { } ended ? time.GetElapsedTime(ended) : null;
        var (partition, range, peer) = job.Pair;
        return new ExchangeView(partition, range.First, range.NVal, peer, job.Peer, standing, since, job.Took, job.Keys.Found, job.Keys.Repaired, job.LastError, job.IsWanted);
    }

    /// <summary>Brings the jobs in line with the document, and begins those whose turn it is.</summary>
    private List<(ExchangeJob Job, ExchangeRun Run)> Plan(ClusterSnapshot snapshot)
    {
        var starting = new List<(ExchangeJob, ExchangeRun)>();
        lock (gate)
        {
            FollowNeeds(snapshot);
            if (host.Layouts.Current is not { } layout)
            {
                return starting;
            }

            var free = options.ExchangeConcurrency - jobs.Values.Count(job => job.IsRunning);
            var now = time.GetTimestamp();
            var due = jobs.Values
                .Where(job => !job.IsRunning && job.NotBefore <= now && snapshot.IsUp(job.Peer))
                .OrderByDescending(job => job.IsWanted).ThenBy(job => job.EndedAt ?? long.MinValue).ThenBy(job => job.Pair.Partition).ThenBy(job => job.Pair.Range).ThenBy(job => job.Pair.Peer);
            foreach (var job in due)
            {
                if (starting.Count >= free)
                {
                    break;
                }

                if (host.Find(job.Pair.Partition) is { } vnode && vnode.Trees.Layout == layout.Id && locks.TryTake(job.Pair.Partition, job.Pair.Range))
                {
                    job.IsRunning = true;
                    starting.Add((job, RunOf(job, vnode, layout.Id, snapshot)));
                }
            }
        }

        return starting;
    }

    private void FollowNeeds(ClusterSnapshot snapshot)
    {
        var needs = Needs(snapshot);
        foreach (var (pair, job) in jobs.Where(job => !job.Value.IsRunning).ToList())
        {
            if (!needs.ContainsKey(pair) && !job.IsWanted)
            {
                jobs.Remove(pair);
            }
        }

        foreach (var (pair, peer) in needs)
        {
            if (!jobs.TryGetValue(pair, out var job))
            {
                jobs.Add(pair, job = new ExchangeJob(pair));
            }

            job.Peer = peer;
        }
    }

    private Dictionary<ExchangePair, NodeId> Needs(ClusterSnapshot snapshot)
    {
        var needs = new Dictionary<ExchangePair, NodeId>();
        if (snapshot.Document is not { Ring: var ring } || host.Layouts.Current is not { } layout)
        {
            return needs;
        }

        foreach (var number in Enumerable.Range(0, ring.Size))
        {
            var partition = new PartitionId(number);
            if (ring.Owner(partition) != snapshot.Self || TreeResponder.IsUnsettled(snapshot, partition))
            {
                continue;
            }

            foreach (var pair in PairsOf(partition, layout, alsoLater: false).Where(pair => !TreeResponder.IsUnsettled(snapshot, pair.Peer)))
            {
                needs.Add(pair, ring.Owner(pair.Peer));
            }
        }

        return needs;
    }

    /// <summary>With the partitions that come later in the ranges' preference lists; <paramref name="alsoLater"/> adds those before, which ask by themselves otherwise.</summary>
    private static IEnumerable<ExchangePair> PairsOf(PartitionId partition, TreeLayout layout, bool alsoLater)
    {
        foreach (var range in layout.RangesOf(partition))
        {
            var own = (partition.Number - range.First.Number) & (layout.RingSize - 1);
            for (var place = alsoLater ? 0 : own + 1; place < Math.Min(range.NVal, layout.RingSize); place++)
            {
                if (place != own)
                {
                    yield return new ExchangePair(partition, range, new PartitionId((range.First.Number + place) & (layout.RingSize - 1)));
                }
            }
        }
    }

    private ExchangeRun RunOf(ExchangeJob job, Vnode vnode, ulong layout, ClusterSnapshot snapshot)
    {
        var peer = job.Peer;
        ValueTask<PeerReply> Ask(PeerRequest request, CancellationToken cancel) => peer == snapshot.Self
            ? responder.HandleAsync(snapshot.Self, request)
            : transport.SendAsync(peer, request, PeerLane.Bulk, Deadline.After(time, options.ExchangeTimeout), cancel);
        return new ExchangeRun(job.Pair, peer, vnode, layout, snapshot.DocumentVersion, Ask, client, options, pace, time, statistics);
    }

    private async Task RunJobAsync(ExchangeJob job, ExchangeRun run, CancellationToken cancel)
    {
        string? problem = "interrupted";
        var began = time.GetTimestamp();
        try
        {
            problem = await run.RunAsync(cancel);
        }
        finally
        {
            locks.Release(state.Current.Self, job.Pair.Partition, job.Pair.Range);
            Conclude(job, run, problem, time.GetElapsedTime(began));
        }
    }

    private void Conclude(ExchangeJob job, ExchangeRun run, string? problem, TimeSpan took)
    {
        lock (gate)
        {
            job.IsRunning = false;
            job.LastError = problem ?? "";
            if (problem is null)
            {
                (job.IsWanted, job.Failures, job.EndedAt, job.Took) = (false, 0, time.GetTimestamp(), took);
                job.Keys = (run.Found, run.Repaired);
                job.NotBefore = Deadline.After(time, options.ExchangeInterval).Timestamp;
            }
            else
            {
                // Chance keeps two nodes that wait for each other's trees from meeting again and again.
                var pause = RetryPause * Math.Min(1 << Math.Min(job.Failures++, 10), LongestBackOff) * (0.5 + random.NextDouble());
                job.NotBefore = Deadline.After(time, pause < options.ExchangeInterval ? pause : options.ExchangeInterval).Timestamp;
            }
        }

        if (problem is not null)
        {
            statistics.Failed();
            LogFailed(job.Pair.Partition, job.Pair.Range, job.Pair.Peer, run.Peer, problem);
        }
        else
        {
            statistics.Ended(took, run.Found, run.Repaired);
            if (run.Found > 0)
            {
                LogRepaired(job.Pair.Partition, job.Pair.Range, job.Pair.Peer, run.Peer, run.Found, run.Repaired, took.TotalMilliseconds);
            }
        }

        wake.Set();
    }

    [LoggerMessage(2152, LogLevel.Debug, "exchange of partition {Partition}, keys of {Range}, with partition {PeerPartition} on {Peer} did not succeed: {Problem}")]
    private partial void LogFailed(PartitionId partition, TreeRange range, PartitionId peerPartition, NodeId peer, string problem);

    [LoggerMessage(2153, LogLevel.Information, "partition {Partition}, keys of {Range}, differed from partition {PeerPartition} on {Peer} in {Found} keys; {Repaired} were repaired, in {Milliseconds} ms")]
    private partial void LogRepaired(PartitionId partition, TreeRange range, PartitionId peerPartition, NodeId peer, int found, int repaired, double milliseconds);
}
