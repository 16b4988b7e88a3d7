using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Builds the hash trees of the node's own vnodes from their data where those are doubtful, old or outgrown: one vnode at a time, those that have none first, at a bounded rate,
/// while writes go on. A crash costs the building that was under way and no more.
/// </summary>
internal sealed partial class TreeBuilder(
    ClusterOptions options, ClusterState state, VnodeHost host, Pace pace, TimeProvider time, AntiEntropyStatistics statistics, ILogger<TreeBuilder> log)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(1);

    /// <summary>Guards the two below.</summary>
    private readonly Lock gate = new();
    private readonly Dictionary<PartitionId, (string Error, long NotBefore)> failed = [];
    private PartitionId? building;
    private readonly AsyncSignal wake = new(time);

    /// <summary>Called when trees were built.</summary>
    public Action? OnBuilt { get; set; }

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(_ => wake.Set());
        statistics.Unbuilt = () => host.Layouts.Current is { } layout ? Owned().Count(vnode => vnode.Trees.Layout != layout.Id) : 0;
        while (!cancel.IsCancellationRequested)
        {
            if (NextVnode() is { } next)
            {
                await BuildAsync(next.Vnode, next.Layout, cancel);
            }
            else
            {
                await wake.WaitAsync(LookInterval, cancel);
            }
        }
    }

    public ImmutableArray<TreeView> View()
    {
        if (host.Layouts.Current is not { Id: var layout })
        {
            return [];
        }

        lock (gate)
        {
            return [.. Owned().OrderBy(vnode => vnode.Partition).Select(vnode => ViewOf(vnode, layout))];
        }
    }

    private TreeView ViewOf(Vnode vnode, ulong layout)
    {
        var trees = vnode.Trees;
        var standing = building == vnode.Partition ? TreeState.Building : trees.Layout == layout ? TreeState.Built : TreeState.Waiting;
        return new TreeView(
            vnode.Partition,
            standing,
            trees.Layout == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(trees.BuiltAt),
            failed.TryGetValue(vnode.Partition, out var last) ? last.Error : "");
    }

    private IEnumerable<Vnode> Owned()
    {
        var snapshot = state.Current;
        return snapshot.Document is { Ring: var ring }
            ? host.Open.Where(vnode => vnode.Partition.Number < ring.Size && ring.Owner(vnode.Partition) == snapshot.Self)
            : [];
    }

    private (Vnode Vnode, TreeLayout Layout)? NextVnode()
    {
        if (host.Layouts.Current is not { } layout)
        {
            return null;
        }

        var now = time.GetTimestamp();
        var oldest = (time.GetUtcNow() - options.TreeMaxAge).ToUnixTimeSeconds();

        // A clock that was ahead and was set back would keep them for ever.
        var newest = (time.GetUtcNow() + Ahead).ToUnixTimeSeconds();
        bool IsOld(long builtAt) => builtAt < oldest || builtAt > newest;
        lock (gate)
        {
            var due = Owned()
                .Where(vnode => (vnode.Trees.Layout != layout.Id || IsOld(vnode.Trees.BuiltAt) || AreOutgrown(vnode, layout)) && (!failed.TryGetValue(vnode.Partition, out var last) || last.NotBefore <= now))
                .OrderBy(vnode => vnode.Trees.Layout == layout.Id).ThenBy(vnode => vnode.Trees.BuiltAt).ThenBy(vnode => vnode.Partition)
                .FirstOrDefault();
            building = due?.Partition;
            return due is null ? null : (due, layout);
        }
    }

    private bool AreOutgrown(Vnode vnode, TreeLayout layout) =>
        new TreeSizing(options, layout.RangesOf(vnode.Partition).Length).AreOutgrown(vnode.Trees, vnode.ApproximateCount);

    private async Task BuildAsync(Vnode vnode, TreeLayout layout, CancellationToken cancel)
    {
        string? problem;
        try
        {
            problem = await TryBuildAsync(vnode, layout, cancel);
        }
        catch (Exception failure) when (failure is StoreException or ObjectDisposedException or InvalidOperationException)
        {
            // A store that failed is reported by its vnode; one that was dropped is built no more.
            problem = failure.Message;
        }

        lock (gate)
        {
            building = null;
            failed.Remove(vnode.Partition);
            if (problem is not null)
            {
                failed[vnode.Partition] = (problem, Deadline.After(time, RetryPause).Timestamp);
            }
        }

        if (problem is not null)
        {
            LogFailed(vnode.Partition, problem);
            return;
        }

        statistics.Built();
        LogBuilt(vnode.Partition, vnode.ApproximateCount);
        OnBuilt?.Invoke();
    }

    private async ValueTask<string?> TryBuildAsync(Vnode vnode, TreeLayout layout, CancellationToken cancel)
    {
        if (vnode.NeedsIndex)
        {
            await vnode.IndexAsync(cancel);
        }

        for (var isFirst = true; ; isFirst = false)
        {
            cancel.ThrowIfCancellationRequested();
            var step = await vnode.BuildTreesAsync(layout, isFirst);
            switch (step.Pending.Reply)
            {
                case PeerReply.Done when step.IsWhole:
                    return null;
                case PeerReply.Done:
                    await pace.SpendAsync(step.Bytes, step.Work, cancel);
                    break;
                case PeerReply.Refused refused:
                    return refused.Reason;
                default:
                    return "the partition's vnode is overloaded";
            }
        }
    }

    [LoggerMessage(2150, LogLevel.Information, "partition {Partition}: hash trees of {Objects} objects are built")]
    private partial void LogBuilt(PartitionId partition, long objects);

    [LoggerMessage(2151, LogLevel.Warning, "partition {Partition}: hash trees could not be built: {Problem}")]
    private partial void LogFailed(PartitionId partition, string problem);
}
