using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.TestKit;

/// <summary>
/// Nodes with a data path each, on one document that the story gives them. The ring is a claim's. The story says who takes whom for
/// down, or leaves it to <see cref="Detect"/>.
/// </summary>
public sealed class DataCluster
{
    public const string Siblings = "siblings";

    private readonly List<(SimContext Context, Action Told)> watchers = [];

    public DataCluster(SimScheduler scheduler, int nodes, int ringSize = 16, SimNetworkOptions? network = null, ClusterOptions? options = null)
    {
        Scheduler = scheduler;
        Network = new SimNetwork(scheduler, network ?? new SimNetworkOptions());
        Options = options ?? new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5) };
        Nodes = [.. Enumerable.Range(1, nodes).Select(number => new DataNode(this, new NodeId((ulong)number)))];
        Document = FirstDocument(ringSize);
    }

    public SimScheduler Scheduler { get; }

    public SimNetwork Network { get; }

    public ClusterOptions Options { get; }

    public ImmutableArray<DataNode> Nodes { get; }

    /// <summary>Those of all nodes.</summary>
    public StoryHooks Hooks { get; } = new();

    /// <summary>What nodes are started with.</summary>
    public ClusterDocument Document { get; private set; }

    /// <summary>Runs a story on a new cluster whose nodes are started.</summary>
    public static void Run(int seed, int nodes, Func<DataCluster, Task> story, SimNetworkOptions? network = null, ClusterOptions? options = null)
    {
        var scheduler = new SimScheduler(seed);
        var cluster = new DataCluster(scheduler, nodes, network: network, options: options);
        scheduler.Run(async () =>
        {
            await cluster.StartAsync();
            await story(cluster);
        });
    }

    public async Task StartAsync()
    {
        foreach (var node in Nodes)
        {
            await node.StartAsync(Document);
        }

        Detect();
    }

    /// <summary>Gives every node that is up a new document.</summary>
    public void Decide(Func<ClusterDocument, ClusterDocument> change)
    {
        Document = change(Document) with { Version = Document.Version + 1 };
        foreach (var node in Nodes.Where(node => node.IsUp))
        {
            node.Context.Enter(() =>
            {
                node.State.SetDocument(Document);
                return true;
            });
        }
    }

    public void SetType(string name, BucketProps props) =>
        Decide(document => document with { BucketTypes = document.BucketTypes.SetItem(name, new BucketType(name, BucketTypeState.Active, props)) });

    /// <summary>Every node learns who can be reached now, and under which fence: what heartbeats tell.</summary>
    public void Detect()
    {
        foreach (var node in Nodes.Where(node => node.IsUp))
        {
            var up = Nodes.Where(other => other.IsUp && !Network.IsCut(node.Id, other.Id)).Select(other => other.Id).ToArray();
            node.Context.Enter(() =>
            {
                node.State.SetUp(up);
                foreach (var other in up)
                {
                    node.Fences.Saw(other, Node(other).Fences.Own);
                }

                return true;
            });
        }
    }

    public DataNode Node(NodeId id) => Nodes.Single(node => node.Id == id);

    /// <summary>The owners of the key's partitions, in the order of its list.</summary>
    public ImmutableArray<PreflistEntry> Primaries(ObjectKey key, int nVal = 3)
    {
        var props = Document.EffectiveProps(new BucketName(key.BucketType, key.Bucket))!;
        return [.. PreferenceList.Primaries(Document.Ring, RingHash.FirstPartition(key, props.ChashKeyFun, Document.Ring.Size), nVal)];
    }

    /// <summary>What a replica holds; null where it has nothing. Does not go through the coordinators.</summary>
    public async Task<KvObject?> HeldAsync(NodeId id, PartitionId partition, ObjectKey key)
    {
        var node = Node(id);
        if (!node.IsUp || node.Host.Find(partition) is not { } vnode)
        {
            return null;
        }

        var reply = await node.Context.CallAsync(() => vnode.GetAsync(key.Encoded, headOnly: false));
        return reply.Reply is Kv.Cluster.Peers.PeerReply.Object { Stored: { } stored } ? ObjectCodec.Decode(stored) : null;
    }

    /// <summary>Returns what stand-ins hold to its owners and drops it there, as handoff does.</summary>
    public async Task HandBackAsync()
    {
        foreach (var node in Nodes.Where(node => node.IsUp))
        {
            foreach (var vnode in node.Host.Open.ToArray())
            {
                var owner = Node(Document.Ring.Owner(vnode.Partition));
                if (owner == node || !owner.IsUp || Network.IsCut(owner.Id, node.Id))
                {
                    continue;
                }

                var (writes, fence) = (vnode.Writes, owner.Fences.Own);
                var entries = new List<Kv.Core.Stores.StoredEntry>();
                await foreach (var entry in vnode.FoldAsync(CancellationToken.None))
                {
                    entries.Add(entry);
                }

                var target = await owner.Context.Enter(() => owner.Host.OpenAsync(vnode.Partition, CancellationToken.None));
                var merged = await owner.Context.CallAsync(() => target.MergeBatchAsync(entries, fence, CancellationToken.None));
                if (merged is Kv.Cluster.Peers.PeerReply.Done)
                {
                    await node.Context.CallAsync(() => node.Host.TryDropAsync(vnode, writes, null, CancellationToken.None));
                }
            }
        }
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

    private ClusterDocument FirstDocument(int ringSize)
    {
        var ring = Claim.Assign(ringSize, default, [.. Nodes.Select(node => new ClaimMember(node.Id, ""))], targetNVal: 4, nValPerZone: 3).Owners;
        return new ClusterDocument
        {
            ClusterId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            ClusterName = "sim",
            Version = 1,
            Ring = new Ring(ring, ring),
            Members = [.. Nodes.Select(node => new Member(node.Id, $"node{node.Id.Value}", "", MemberState.Valid, ImmutableSortedDictionary<string, string>.Empty))],
            BucketTypes = ImmutableSortedDictionary.Create<string, BucketType>(StringComparer.Ordinal)
                .Add(Siblings, new BucketType(Siblings, BucketTypeState.Active, BucketProps.NewType)),
        };
    }
}
