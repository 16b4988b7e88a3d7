using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Reads whatever no tree is built from within <see cref="ClusterOptions.TreeMaxAge"/>, so that rot shows that nobody asks for: what is held for others, and all where anti-entropy is off. One store at a time, that
/// which was read longest ago first, at the pace of background work. What is found goes the way of any damage: the store itself tells. When a store was read is not kept over a restart; one that is seen first counts as
/// read some random part of that age ago, so that a node that often restarts comes to it too, and not to all at once.
/// </summary>
internal sealed partial class Scrubber(
    ClusterOptions options, ClusterState state, VnodeHost host, Pace pace, TimeProvider time, Random random, AntiEntropyStatistics statistics, ILogger<Scrubber> log)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(100);

    /// <summary>For how many of those a value, or a page of keys, is waited for: another store may have more luck.</summary>
    private const int MostPauses = 100;

    /// <summary>When the reading of each open store began last, by its birth.</summary>
    private readonly Dictionary<long, long> begun = [];

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            if (NextVnode() is { } next)
            {
                await ScrubAsync(next, cancel);
            }
            else
            {
                await Task.Delay(LookInterval, time, cancel);
            }
        }
    }

    private Vnode? NextVnode()
    {
        var open = host.Open.Where(vnode => !vnode.IsClosed && !HasTrees(vnode)).ToList();
        foreach (var gone in begun.Keys.Except(open.Select(vnode => vnode.Birth)).ToList())
        {
            begun.Remove(gone);
        }

        foreach (var vnode in open)
        {
            begun.TryAdd(vnode.Birth, Deadline.After(time, -options.TreeMaxAge * random.NextDouble()).Timestamp);
        }

        return open.OrderBy(vnode => begun[vnode.Birth]).FirstOrDefault() is { } oldest && time.GetElapsedTime(begun[oldest.Birth]) >= options.TreeMaxAge ? oldest : null;
    }

    /// <summary>Its trees are built anew within that age, and that reads all of it.</summary>
    private bool HasTrees(Vnode vnode) =>
        host.Layouts.Current is not null
        && state.Current is { Document.Ring: var ring } snapshot
        && vnode.Partition.Number < ring.Size
        && ring.Owner(vnode.Partition) == snapshot.Self;

    private async Task ScrubAsync(Vnode vnode, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        try
        {
            if (await ReadAllAsync(vnode, cancel))
            {
                begun[vnode.Birth] = began;
                statistics.Scrubbed();
                LogScrubbed(vnode.Partition, vnode.ApproximateCount);
                return;
            }
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException or ObjectDisposedException or InvalidOperationException)
        {
            // The vnode ends, its keys are being learned, or there is no memory for that.
        }

        begun[vnode.Birth] = Deadline.After(time, RetryPause - options.TreeMaxAge).Timestamp;
    }

    /// <summary>By segment: a fold, and with it all that compaction would free, would be open for as long as this waits. False where the vnode ended first, or has no room.</summary>
    private async ValueTask<bool> ReadAllAsync(Vnode vnode, CancellationToken cancel)
    {
        if (vnode.NeedsIndex)
        {
            await vnode.IndexAsync(cancel);
        }

        for (var (segment, pauses) = (0, 0); segment < HashTree.Segments;)
        {
            var page = await vnode.ReadSegmentsAsync(segment);
            if (page.Pending.Reply is PeerReply.Overloaded && pauses++ < MostPauses)
            {
                await Task.Delay(BusyPause, time, cancel);
                continue;
            }

            if (page.Pending.Reply is not PeerReply.Done)
            {
                return false;
            }

            foreach (var key in page.Keys)
            {
                if (!await ReadAsync(vnode, key, cancel))
                {
                    return false;
                }
            }

            (segment, pauses) = (page.Next, 0);
        }

        return true;
    }

    /// <summary>One value at a time is held. What there is no room for now is waited for.</summary>
    private async ValueTask<bool> ReadAsync(Vnode vnode, ReadOnlyMemory<byte> key, CancellationToken cancel)
    {
        for (var pauses = 0; pauses < MostPauses; pauses++)
        {
            var began = time.GetTimestamp();
            switch ((await vnode.GetAsync(key, headOnly: false)).Reply)
            {
                case PeerReply.Object { Stored: var stored }:
                    await pace.SpendAsync(key.Length + (stored?.Length ?? 0), time.GetElapsedTime(began), cancel);
                    return true;
                case PeerReply.Overloaded:
                    await Task.Delay(BusyPause, time, cancel);
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    [LoggerMessage(2154, LogLevel.Information, "partition {Partition}: {Objects} objects were read to see whether any rotted")]
    private partial void LogScrubbed(PartitionId partition, long objects);
}
