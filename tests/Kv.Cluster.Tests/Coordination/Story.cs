using System.Text;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Words that the stories of this folder share.</summary>
internal static class Story
{
    public static ObjectKey Key(string key = "k", string type = DataCluster.Siblings) => new(type, "b", key);

    public static Sibling Value(string value) => new() { Dot = null, Value = Encoding.UTF8.GetBytes(value) };

    public static KvRequest.Put Put(string value, VersionVector? context = null, ObjectKey? key = null) =>
        new() { Key = key ?? Key(), Content = Value(value), Context = context ?? VersionVector.Empty };

    public static KvRequest.Get Get(ObjectKey? key = null) => new() { Key = key ?? Key() };

    public static string[] Values(KvOutcome? outcome) => Values(Assert.IsType<KvOutcome.Found>(outcome).Object);

    public static string[] Values(KvObject held) =>
        [.. held.Siblings.Select(sibling => sibling.IsTombstone ? "(deleted)" : Encoding.UTF8.GetString(sibling.Value.Span)).Order(StringComparer.Ordinal)];

    public static VersionVector Clock(KvOutcome? outcome) => Assert.IsType<KvOutcome.Found>(outcome).Object.Clock;

    public static KvError Error(KvOutcome? outcome) => Assert.IsType<KvOutcome.Failed>(outcome).Error;

    public static async Task<KvOutcome?> StoreAsync(this DataNode node, string value, VersionVector? context = null, ObjectKey? key = null)
    {
        var outcome = await node.AskAsync(Put(value, context, key));
        Assert.IsType<KvOutcome.Stored>(outcome);
        return outcome;
    }

    /// <summary>A node of the key's preference list, and one that is on none of its places.</summary>
    public static DataNode Primary(this DataCluster cluster, int place = 0, ObjectKey? key = null) => cluster.Node(cluster.Primaries(key ?? Key())[place].Node);

    public static DataNode Outsider(this DataCluster cluster, int which = 0, ObjectKey? key = null)
    {
        var primaries = cluster.Primaries(key ?? Key()).Select(entry => entry.Node).ToHashSet();
        return cluster.Nodes.Where(node => !primaries.Contains(node.Id)).ElementAt(which);
    }

    public static PartitionId Partition(this DataCluster cluster, int place, ObjectKey? key = null) => cluster.Primaries(key ?? Key())[place].Partition;

    public static async Task WaitAsync(this DataCluster cluster, double seconds) =>
        await Task.Delay(TimeSpan.FromSeconds(seconds), cluster.Scheduler.World.Time);

    /// <summary>What the key's primaries hold, by place.</summary>
    public static async Task<KvObject?[]> HeldByPrimariesAsync(this DataCluster cluster, ObjectKey? key = null)
    {
        var held = new List<KvObject?>();
        foreach (var entry in cluster.Primaries(key ?? Key()))
        {
            held.Add(await cluster.HeldAsync(entry.Node, entry.Partition, key ?? Key()));
        }

        return [.. held];
    }

    /// <summary>Writes to one replica alone, past the coordinators: how replicas come to differ.</summary>
    public static async Task PlantAsync(this DataCluster cluster, int place, KvObject? held, ObjectKey? key = null)
    {
        var named = key ?? Key();
        var node = cluster.Primary(place, named);
        var partition = cluster.Partition(place, named);
        var reply = await node.Context.CallAsync(() => node.Gate.PutAsync(
            partition, named, ObjectCodec.Encode(held!), VnodePutKind.Repair, Kv.Core.Stores.Durability.Synced, cluster.Document.Version, node.Fences.Own));
        Assert.IsType<PeerReply.Done>(reply);
    }

    public static BucketProps Props(this DataCluster cluster) => cluster.Document.EffectiveProps(new BucketName(DataCluster.Siblings, "b"))!;
}
