using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.TestKit;

/// <summary>
/// Whole nodes that find their own document, members and data, on one network. Watches that no two nodes ever hold different documents of one version.
/// </summary>
public sealed class SimCluster
{
    public static readonly Guid ClusterId = new(0x6b76, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

    private readonly List<(SimContext Context, Action Told)> watchers = [];
    private readonly Dictionary<(Guid Cluster, long Version), byte[]> decided = [];

    public SimCluster(SimScheduler scheduler, int nodes, int zones = 1, SimNetworkOptions? network = null, ClusterOptions? options = null)
    {
        Scheduler = scheduler;
        Network = new SimNetwork(scheduler, network ?? new SimNetworkOptions());
        Options = options ?? new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), AntiEntropy = false };
        Nodes = [.. Enumerable.Range(1, nodes).Select(n => new SimNode(this, new NodeId((ulong)n), $"n{n}", zones == 1 ? "" : $"z{n % zones}"))];
    }

    public SimScheduler Scheduler { get; }

    public SimNetwork Network { get; }

    public ClusterOptions Options { get; }

    public ImmutableArray<SimNode> Nodes { get; }

    /// <summary>For tests that put something between nodes and their ports.</summary>
    public SimSeams Seams { get; set; } = new();

    /// <summary>Told of every document that a node holds from now on, in the order in which they come to hold it.</summary>
    public Action<SimNode, ClusterDocument>? OnDocument { get; set; }

    public IEnumerable<SimNode> Up => Nodes.Where(node => node.IsUp);

    /// <summary>The newest document that a node which is up holds.</summary>
    public ClusterDocument Document => Up.Select(node => node.Document).MaxBy(document => document?.Version ?? 0)!;

    /// <summary>Runs a story on nodes that are started and in no cluster.</summary>
    public static void Run(int seed, int nodes, Func<SimCluster, Task> story, SimNetworkOptions? network = null, int zones = 1, ClusterOptions? options = null)
    {
        var scheduler = new SimScheduler(seed);
        var cluster = new SimCluster(scheduler, nodes, zones, network, options);
        scheduler.Run(async () =>
        {
            foreach (var node in cluster.Nodes)
            {
                await node.StartAsync();
            }

            await story(cluster);
            foreach (var node in cluster.Up.Where(node => node.Node.Failed.IsCompleted))
            {
                throw new InvalidOperationException($"seed {seed}: {node.Name} failed", await node.Node.Failed);
            }
        });
    }

    /// <summary>Makes a cluster of the first <paramref name="count"/> nodes as one plan, and waits until every partition is with its owner.</summary>
    public async Task FormAsync(int count, int ringSize = 16)
    {
        Expect(await Nodes[0].InAsync(async () => await Nodes[0].Node.Admin.CreateClusterAsync(ClusterId, "sim", ringSize, CancellationToken.None)));
        if (count > 1)
        {
            await JoinAsync(Nodes[0], Nodes[1..count]);
        }

        await SettleAsync();
    }

    /// <summary>
    /// Stages the joins and commits them as one plan, as the operator does: at <paramref name="by"/> while that is up, else at another member, and again until it is done.
    /// </summary>
    public async Task JoinAsync(SimNode by, IReadOnlyList<SimNode> joining)
    {
        var addresses = joining.Select(node => node.Address).ToArray();
        var refusal = "";
        for (var attempt = 0; attempt < 60; attempt++)
        {
            var admin = by.IsUp ? by : Up.First(node => node.Document is not null && !joining.Contains(node));
            var plan = await admin.InAsync(async () => await admin.Node.Admin.StageJoinAsync(addresses, CancellationToken.None));
            if (plan is { IsOk: true, Value.PlanId: { } planId })
            {
                var commit = planId.Length == 0
                    ? await admin.InAsync(async () => await Task.FromResult(admin.Node.Admin.GetCluster()))
                    : await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(planId, CancellationToken.None));
                if (commit is { IsOk: true, Value: not null })
                {
                    return;
                }

                refusal = $"{commit.Refusal}";
            }
            else
            {
                refusal = $"{plan.Refusal}";
            }

            await DelayAsync(TimeSpan.FromSeconds(1));
        }

        throw new InvalidOperationException($"seed {Scheduler.Seed}: the joins were not committed: {refusal}");
    }

    /// <summary>Waits until all nodes that are up agree, see each other, and nothing is where it does not belong.</summary>
    public Task SettleAsync(int seconds = 120) => UntilAsync(IsSettled, seconds, "the cluster settles");

    public bool IsSettled()
    {
        var document = Document;
        var members = document.Members.Select(member => member.Id).ToHashSet();
        var up = Up.Where(node => members.Contains(node.Id)).ToList();
        return !RingTransition.HasPending(document.Ring)
            && document.Ring.Rebuilding.IsEmpty
            && up.All(node => node.Document?.Version == document.Version
                && up.All(other => node.Node.State.Current.IsUp(other.Id))
                && node.Node.Vnodes.All(vnode => document.Ring.Owner(vnode.Partition) == node.Id || !up.Any(o => o.Id == document.Ring.Owner(vnode.Partition))));
    }

    public async Task UntilAsync(Func<bool> isSo, int seconds, string what)
    {
        var end = Scheduler.Now + TimeSpan.FromSeconds(seconds).Ticks;
        while (!isSo())
        {
            if (Scheduler.Now > end)
            {
                var state = string.Join("; ", Up.Select(n =>
                    $"{n.Name} v{n.Document?.Version} up {n.Node.State.Current.Up.Count} vnodes {n.Node.Vnodes.Count} {string.Join(",", n.Node.Admin.GetTransfers().Where(t => t.From == n.Id).Select(t => $"{t.Kind}:{t.Partition}->{t.To}:{t.State}:{t.LastError}"))}"));
                throw new InvalidOperationException($"seed {Scheduler.Seed}: not within {seconds} s: {what}: {state}");
            }

            await DelayAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    public Task DelayAsync(TimeSpan delay) => Task.Delay(delay, Scheduler.World.Time);

    public static T Expect<T>(AdminResult<T> result)
        where T : class => result.IsOk ? result.Value : throw new InvalidOperationException($"refused: {result.Refusal}");

    internal void Saw(SimNode node, ClusterDocument? document)
    {
        if (document is null)
        {
            return;
        }

        OnDocument?.Invoke(node, document);
        var bytes = ClusterDocumentCodec.Encode(document);
        if (decided.TryGetValue((document.ClusterId, document.Version), out var known) && !known.AsSpan().SequenceEqual(bytes))
        {
            throw new InvalidOperationException($"seed {Scheduler.Seed}: {node.Name} holds another version {document.Version} of the document");
        }

        decided[(document.ClusterId, document.Version)] = bytes;
    }

    internal void WhenKilled(SimContext context, Action told) => watchers.Add((context, told));

    internal void Killed(SimContext context)
    {
        foreach (var (_, told) in watchers.Where(watcher => watcher.Context == context).ToArray())
        {
            told();
        }

        watchers.RemoveAll(watcher => watcher.Context == context);
    }
}
