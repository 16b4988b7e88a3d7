using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.TestKit;
using Kv.Cluster.Tests.Coordination;
using Xunit;

namespace Kv.Cluster.Tests.Vnodes;

/// <summary>Every replica's index has the entries of what it holds, and no others, whatever happens to it.</summary>
public sealed class IndexEntriesTests
{
    private const string Type = "ordered";
    private static readonly BucketProps Props = BucketProps.NewType with { Backend = BucketProps.OrderedBackend };
    private static readonly ObjectKey Key = Story.Key(type: Type);

    [Fact]
    public void Put_OverAValue_TakesItsEntriesPlace() => Run(1, Props, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"), ("age_int", "7"));
        await cluster.WaitAsync(1);
        Assert.Equal(6, EntriesOf(cluster).Count);
        var clock = Story.Clock(await cluster.Nodes[1].AskAsync(Story.Get(Key)));
        await PutAsync(cluster.Nodes[1], Key, clock, ("color_bin", "blue"), ("age_int", "+07"));
        await cluster.WaitAsync(1);
        Assert.Equal(Expected(("age_int", "7"), ("color_bin", "blue")), EntriesOf(cluster).Distinct().Order());
        AssertIndexesAreOfTheData(cluster);
    });

    [Fact]
    public void Siblings_HaveTheEntriesOfAllOfThem() => Run(2, Props, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"));
        await PutAsync(cluster.Nodes[1], Key, VersionVector.Empty, ("color_bin", "blue"));
        await cluster.WaitAsync(1);
        Assert.Equal(Expected(("color_bin", "blue"), ("color_bin", "red")), EntriesOf(cluster).Distinct().Order());
        AssertIndexesAreOfTheData(cluster);
    });

    [Fact]
    public void Delete_RemovesTheEntries() => Run(3, Props, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"));
        Assert.IsType<KvOutcome.Deleted>(await cluster.Nodes[0].AskAsync(new KvRequest.Delete { Key = Key }));
        await cluster.WaitAsync(1);
        Assert.Empty(EntriesOf(cluster));
    });

    [Fact]
    public void LastWriteWins_ReplacesTheEntriesToo() => Run(4, Props with { LastWriteWins = true, DvvEnabled = false, AllowMult = false, Aae = false }, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"));
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "blue"));
        await cluster.WaitAsync(1);
        Assert.Equal(Expected(("color_bin", "blue")), EntriesOf(cluster).Distinct());
        AssertIndexesAreOfTheData(cluster);
    });

    [Fact]
    public void ObjectsByHash_HaveNoEntries_AndKeepWhatTheyWereGiven() => Run(5, BucketProps.NewType, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"));
        await cluster.WaitAsync(1);
        Assert.Empty(EntriesOf(cluster));
        var found = Assert.IsType<KvOutcome.Found>(await cluster.Nodes[1].AskAsync(Story.Get(Key)));
        Assert.Equal([KeyValuePair.Create("color_bin", "red")], found.Object.Siblings[0].Metadata.Indexes);
    });

    [Fact]
    public void AnEntryThatIsTooLong_IsRefused() => Run(6, Props, async cluster =>
    {
        var put = Story.Put("v", key: Key);
        put = put with { Content = put.Content with { Metadata = new ObjectMetadata { Indexes = [KeyValuePair.Create("f_bin", new string('x', IndexEntries.MaxLength))] } } };
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await cluster.Nodes[0].AskAsync(put)));
    });

    [Fact]
    public void MoreEntriesThanAnObjectMayHave_AreRefused() => Run(7, Props, async cluster =>
    {
        AssertRefused(await cluster.Nodes[0].AskAsync(Put(Key, VersionVector.Empty, Numbers(0, IndexEntries.MaxEntries + 1))));
        var named = new ObjectKey(Type, "b"u8.ToArray(), new byte[60 * 1024]);
        AssertRefused(await cluster.Nodes[0].AskAsync(Put(named, VersionVector.Empty, Numbers(0, 100))));
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, Numbers(0, IndexEntries.MaxEntries));
        AssertRefused(await cluster.Nodes[1].AskAsync(Put(Key, VersionVector.Empty, Numbers(IndexEntries.MaxEntries, 1))));
        await cluster.WaitAsync(1);
        Assert.Equal(3 * IndexEntries.MaxEntries, EntriesOf(cluster).Count);
    });

    [Fact]
    public void SiblingsThatMeetWithMoreEntriesThanAnObjectMayHave_AreKept_AndTheIndexHasTheFirst() => Run(8, Props, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, Numbers(0, 600));
        var other = Put(Key, VersionVector.Empty, Numbers(600, 600)).Content with { VTag = "other", Dot = new Dot(new ActorId(new NodeId(77), new PartitionId(1), 1), 1) };
        var elsewhere = KvObject.Create(VersionVector.Empty.Increment(other.Dot.Value.Actor, 1, 1), [other]);
        for (var place = 0; place < 3; place++)
        {
            await cluster.PlantAsync(place, elsewhere, Key);
        }

        Assert.All(await cluster.HeldByPrimariesAsync(Key), held => Assert.Equal(2, held!.Siblings.Length));
        Assert.Equal(3 * IndexEntries.MaxEntries, EntriesOf(cluster).Count);
        AssertIndexesAreOfTheData(cluster);
        var clock = Story.Clock(await cluster.Nodes[1].AskAsync(Story.Get(Key)));
        await PutAsync(cluster.Nodes[1], Key, clock, Numbers(5, 1));
        await cluster.WaitAsync(1);
        Assert.Equal(3, EntriesOf(cluster).Count);
        AssertIndexesAreOfTheData(cluster);
    });

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    public void Indexes_AreOfTheData_AfterWritesBesideCrashesAndCuts(int seed) => Run(seed, Props, async cluster =>
    {
        var random = new Random(seed);
        for (var step = 0; step < 120; step++)
        {
            var up = cluster.Nodes.Where(node => node.IsUp).ToList();
            var node = up[random.Next(up.Count)];
            var key = Story.Key($"k{random.Next(8)}", Type);
            switch (random.Next(12))
            {
                case 0 when up.Count == cluster.Nodes.Length:
                    node.Kill(losesPower: random.Next(2) == 0);
                    cluster.Detect();
                    break;
                case 1 when up.Count < cluster.Nodes.Length:
                    await cluster.Nodes.Single(down => !down.IsUp).StartAsync(cluster.Document);
                    cluster.Detect();
                    await cluster.HandBackAsync();
                    break;
                case 2:
                    await node.AskAsync(new KvRequest.Delete { Key = key });
                    break;
                default:
                    var clock = random.Next(2) == 0 && await node.AskAsync(Story.Get(key)) is KvOutcome.Found found ? found.Object.Clock : VersionVector.Empty;
                    await node.AskAsync(Put(key, clock, ("color_bin", $"{random.Next(5)}"), ("age_int", $"{random.Next(-3, 3)}")));
                    break;
            }

            AssertIndexesAreOfTheData(cluster);
        }
    });

    [Fact]
    public void AnObjectOfATypeThatOnlyItsSenderKnows_IsNotTaken_ButByThoseWhoKnowTheType() => Run(9, Props, async cluster =>
    {
        var (node, partition) = (cluster.Primary(0, Key), cluster.Partition(0, Key));
        ReadOnlyMemory<byte> stored = ObjectCodec.Encode(KvObject.AsSent(Story.Value("v"), VersionVector.Empty));
        foreach (var (type, ahead, isTaken) in new[] { ("coming", 1, false), ("coming", 0, true), (Type, 1, true) })
        {
            var key = new ObjectKey(type, Key.Bucket, Key.Key);
            var version = cluster.Document.Version + ahead;
            var put = await node.Context.CallAsync(() => node.Gate.PutAsync(partition, key, stored, VnodePutKind.Handoff, Durability.Synced, version, node.Fences.Own));
            Assert.Equal(isTaken, put is PeerReply.Done);
            Assert.Equal(isTaken, put is not PeerReply.WrongOwner);
        }
    });

    [Fact]
    public void WhatLiesByHash_IsMovedWithItsEntriesWhenItIsRead() => Run(20, BucketProps.NewType, async cluster =>
    {
        await PutAsync(cluster.Nodes[0], Key, VersionVector.Empty, ("color_bin", "red"));
        await cluster.WaitAsync(1);
        Assert.Empty(EntriesOf(cluster));
        cluster.SetType(Type, Props);
        await cluster.Nodes[1].AskAsync(Story.Get(Key));
        await cluster.WaitAsync(1);
        Assert.Equal(3, EntriesOf(cluster).Count);
        AssertIndexesAreOfTheData(cluster);
    });

    [Fact]
    public void ATypeIsOrdered_FromItsCreationOn() => Run(10, Props, async cluster =>
    {
        var (node, partition) = (cluster.Primary(0, Key), cluster.Partition(0, Key));
        cluster.Decide(document => document with { BucketTypes = document.BucketTypes.SetItem(Type, document.BucketTypes[Type] with { State = BucketTypeState.Created }) });
        var content = Put(Key, VersionVector.Empty, ("color_bin", "red")).Content;
        ReadOnlyMemory<byte> stored = ObjectCodec.Encode(KvObject.AsSent(content, VersionVector.Empty));
        Assert.IsType<PeerReply.Done>(await node.Context.CallAsync(() => node.Gate.PutAsync(partition, Key, stored, VnodePutKind.Repair, Durability.Synced, cluster.Document.Version, node.Fences.Own)));
        Assert.Single(EntriesOf(cluster));
    });

    private static void Run(int seed, BucketProps props, Func<DataCluster, Task> story) => DataCluster.Run(seed, 5, async cluster =>
    {
        cluster.SetType(Type, props);
        await story(cluster);
    });

    private static KvRequest.Put Put(ObjectKey key, VersionVector context, params (string Field, string Term)[] entries)
    {
        var put = Story.Put("v", context, key);
        return put with { Content = put.Content with { Metadata = new ObjectMetadata { Indexes = [.. entries.Select(entry => KeyValuePair.Create(entry.Field, entry.Term))] } } };
    }

    private static async Task PutAsync(DataNode node, ObjectKey key, VersionVector context, params (string Field, string Term)[] entries) =>
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Put(key, context, entries)));

    private static (string Field, string Term)[] Numbers(int from, int count) => [.. Enumerable.Range(from, count).Select(number => ("n_int", $"{number}"))];

    private static void AssertRefused(KvOutcome? outcome) => Assert.IsType<KvError.InvalidRequest>(Story.Error(outcome));

    private static IEnumerable<string> Expected(params (string Field, string Term)[] entries) => entries
        .Select(entry => Convert.ToHexString([.. IndexEntries.FieldPrefix(new BucketName(Type, "b"), entry.Field), .. IndexEntries.EncodeTerm(entry.Field, entry.Term)!, .. Key.Key.Span]))
        .Order();

    private static List<string> EntriesOf(DataCluster cluster) =>
        [.. cluster.Nodes.SelectMany(node => node.Volume.Partitions.SelectMany(partition => node.Volume.Index(partition).Select(Convert.ToHexString)))];

    private static void AssertIndexesAreOfTheData(DataCluster cluster)
    {
        foreach (var node in cluster.Nodes)
        {
            foreach (PartitionId partition in node.Volume.Partitions)
            {
                var expected = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance);
                foreach (var (key, value) in node.Volume.Contents(partition))
                {
                    Assert.True(ObjectKeyCodec.TryDecode(key, out var name));
                    expected.UnionWith(IndexEntries.Of(name, ObjectCodec.Decode(value)));
                }

                Assert.Equal(expected.Select(entry => Convert.ToHexString(entry.Span)).Order(), node.Volume.Index(partition).Select(Convert.ToHexString).Order());
            }
        }
    }
}
