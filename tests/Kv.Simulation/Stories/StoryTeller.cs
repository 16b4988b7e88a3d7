using System.Text;
using Kv.Cluster;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Stories;

/// <summary>
/// Does what a story says to a cluster and writes it down: what was asked and answered, who holds what. Without times and counts that a change elsewhere would
/// move, so that a transcript changes only where what it tells does.
/// </summary>
internal sealed class StoryTeller(SimCluster cluster)
{
    public const string Type = "siblings";

    private readonly StringBuilder text = new();
    private readonly Dictionary<string, VersionVector> contexts = new(StringComparer.Ordinal);

    public string Text => text.ToString();

    public SimCluster Cluster => cluster;

    /// <summary>A line that is not the cluster's.</summary>
    public void Say(string words) => text.Append('\n').Append("# ").AppendLine(words);

    public async Task MakeTypeAsync(string name = Type, string json = """{"allow_mult":true}""")
    {
        var admin = cluster.Up.First();
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CreateBucketTypeAsync(name, json, default)));
        await cluster.UntilAsync(() => admin.Node.Admin.GetBucketType(name).Value!.MissingOn.IsEmpty, 20, "the bucket type is ready");
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ActivateBucketTypeAsync(name, default)));
        await cluster.SettleAsync();
        Line($"bucket type {name}: {json}");
    }

    /// <summary>Writes a value, with what <paramref name="client"/> last read where one is named.</summary>
    public Task PutAsync(SimNode node, string key, string value, string? client = null, QuorumValue? pw = null, string type = Type) => AskAsync(
        node,
        $"{client ?? "a client"} puts {key} = {value}{(pw is { } primaries ? $" with pw={primaries}" : "")}",
        new KvRequest.Put
        {
            Key = KeyOf(key, type),
            Content = new Sibling { Dot = null, Value = Encoding.UTF8.GetBytes(value) },
            Context = ContextOf(client, key),
            Pw = pw ?? QuorumValue.Default,
        });

    public async Task GetAsync(SimNode node, string key, string? client = null, QuorumValue? r = null, string type = Type)
    {
        var outcome = await AskAsync(
            node, $"{client ?? "a client"} gets {key}{(r is { } quorum ? $" with r={quorum}" : "")}", new KvRequest.Get { Key = KeyOf(key, type), R = r ?? QuorumValue.Default });
        if (client is not null && outcome is KvOutcome.Found found)
        {
            contexts[$"{client} {key}"] = found.Object.Clock;
        }
    }

    public Task DeleteAsync(SimNode node, string key, string? client = null) => AskAsync(
        node, $"{client ?? "a client"} deletes {key}", new KvRequest.Delete { Key = KeyOf(key), Context = client is null ? null : ContextOf(client, key) });

    /// <summary>What the disks hold for the key, by the places of its preference list, and who stands in.</summary>
    public void ShowHolders(string key, string type = Type)
    {
        var encoded = KeyOf(key, type).Encoded.ToArray();
        foreach (var entry in Primaries(key, type))
        {
            Line($"  partition {entry.Partition.Number} of {NameOf(entry.Node)}: {Held(Node(entry.Node), entry.Partition, encoded)}");
            foreach (var other in cluster.Nodes.Where(node => node.Id != entry.Node && node.Volume.Contents(entry.Partition).ContainsKey(encoded)))
            {
                Line($"    held for it by {other.Name}: {Held(other, entry.Partition, encoded)}");
            }
        }
    }

    /// <summary>Members with their states and shares of the ring, now and when the plan is carried out.</summary>
    public void ShowMembers()
    {
        var document = cluster.Document;
        var (now, next) = (RingTransition.Count(document.Ring.Owners), RingTransition.Count(document.Ring.NextOwners));
        foreach (var member in document.Members)
        {
            var (has, gets) = (now.GetValueOrDefault(member.Id), next.GetValueOrDefault(member.Id));
            Line($"  {member.Name} {member.State}: {has} partitions{(has == gets ? "" : $", {gets} to be")}");
        }
    }

    public async Task LosePowerAsync(params SimNode[] nodes)
    {
        foreach (var node in nodes)
        {
            node.Kill();
            Line($"{node.Name} loses power");
        }

        await SeeAsync();
    }

    public async Task StartAsync(params SimNode[] nodes)
    {
        foreach (var node in nodes)
        {
            Line($"{node.Name} starts");
            await node.StartAsync();
        }
    }

    public async Task PartAsync(params SimNode[] side)
    {
        foreach (var node in side)
        {
            foreach (var other in cluster.Nodes.Except(side))
            {
                cluster.Network.Cut(node.Id, other.Id);
            }
        }

        Line($"{string.Join(", ", side.Select(node => node.Name))} cannot reach the others, nor they them");
        await cluster.DelayAsync(TimeSpan.FromSeconds(15));
    }

    public void Heal()
    {
        cluster.Network.HealAll();
        Line("the network heals");
    }

    public async Task SettleAsync()
    {
        await cluster.SettleAsync(300);
        Line("the cluster comes to rest");
    }

    /// <summary>Waits until who is up sees who is.</summary>
    public async Task SeeAsync()
    {
        await cluster.UntilAsync(() => cluster.Up.All(node => node.Node.State.Current.Up.Count == cluster.Up.Count(other => other.Document is not null)), 60, "all see who is up");
        Line("the others take note");
    }

    public void Line(string line) => text.AppendLine(line);

    public SimNode Primary(string key, int place = 0, string type = Type) => Node(Primaries(key, type)[place].Node);

    /// <summary>A node that owns none of the key's partitions.</summary>
    public SimNode Outsider(string key, int which = 0) =>
        cluster.Nodes.Where(node => Primaries(key, Type).All(entry => entry.Node != node.Id)).ElementAt(which);

    public List<PreflistEntry> Primaries(string key, string type)
    {
        var ring = cluster.Document.Ring;
        return [.. PreferenceList.Primaries(ring, RingHash.FirstPartition(KeyOf(key, type), BucketProps.NewType.ChashKeyFun, ring.Size), 3)];
    }

    private async Task<KvOutcome?> AskAsync(SimNode node, string what, KvRequest request)
    {
        var outcome = await node.AskAsync(request);
        Line($"{node.Name}: {what} -> {OutcomeText.Of(outcome)}");
        await cluster.DelayAsync(TimeSpan.FromSeconds(1));
        return outcome;
    }

    private VersionVector ContextOf(string? client, string key) => client is null ? VersionVector.Empty : contexts.GetValueOrDefault($"{client} {key}", VersionVector.Empty);

    private SimNode Node(NodeId id) => cluster.Nodes.Single(node => node.Id == id);

    private string NameOf(NodeId id) => Node(id).Name;

    private static ObjectKey KeyOf(string key, string type = Type) => new(type, "b", key);

    private static string Held(SimNode node, PartitionId partition, byte[] key) =>
        node.Volume.Contents(partition).TryGetValue(key, out var held) ? OutcomeText.Of(ObjectCodec.Decode(held)) : "nothing";
}
