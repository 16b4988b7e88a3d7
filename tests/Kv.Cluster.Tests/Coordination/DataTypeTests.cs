using System.Text;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Coordination;

/// <summary>Updates of data types by way of a cluster: where they are carried out, what becomes of concurrent ones, what is refused.</summary>
public sealed class DataTypeTests
{
    private static readonly BucketProps Sets = BucketProps.NewType with { DataType = "set" };
    private static readonly ObjectKey Key = Story.Key(type: "sets");

    [Fact]
    public void Update_AtAnyNode_IsFoundAtEveryNode() => Run(1, async cluster =>
    {
        foreach (var (node, number) in cluster.Nodes.Select((node, number) => (node, number)))
        {
            Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Add($"m{number}")));
        }

        foreach (var reader in cluster.Nodes)
        {
            Assert.Equal(["m0", "m1", "m2", "m3", "m4"], await MembersAsync(reader));
        }
    });

    [Fact]
    public void Updates_OnBothSidesOfACut_AreSiblingsOnReplicas_AndOneStateForReaders_AndOneAgainAfterTheNext() => Run(2, async cluster =>
    {
        await cluster.Primary(0, Key).AskAsync(Add("both"));
        var alone = cluster.Primary(0, Key).Id;
        foreach (var other in cluster.Nodes.Where(node => node.Id != alone))
        {
            cluster.Network.Cut(alone, other.Id);
        }

        cluster.Detect();
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0, Key).AskAsync(Add("left")));
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(1, Key).AskAsync(Add("right")));
        cluster.Network.HealAll();
        cluster.Detect();

        Assert.Equal(["both", "left", "right"], await MembersAsync(cluster.Outsider(0, Key)));
        await cluster.WaitAsync(2);
        Assert.Equal(2, (await cluster.HeldByPrimariesAsync(Key))[0]!.Siblings.Length);

        Assert.IsType<KvOutcome.Stored>(await cluster.Outsider(0, Key).AskAsync(Add("after")));
        await cluster.WaitAsync(2);
        Assert.All(await cluster.HeldByPrimariesAsync(Key), held => Assert.Single(held!.Siblings));
        Assert.Equal(["after", "both", "left", "right"], await MembersAsync(cluster.Primary(2, Key)));
    });

    [Fact]
    public void Delete_BesideAnUpdate_TakesWhatItHadSeen_AndTheUpdateStays() => Run(4, async cluster =>
    {
        await cluster.Primary(0, Key).AskAsync(Add("seen"));
        var alone = cluster.Primary(0, Key).Id;
        foreach (var other in cluster.Nodes.Where(node => node.Id != alone))
        {
            cluster.Network.Cut(alone, other.Id);
        }

        cluster.Detect();
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0, Key).AskAsync(Add("unseen")));
        Assert.IsType<KvOutcome.Deleted>(await cluster.Primary(1, Key).AskAsync(new KvRequest.Delete { Key = Key }));
        cluster.Network.HealAll();
        cluster.Detect();
        Assert.Equal(["unseen"], await MembersAsync(cluster.Outsider(0, Key)));
    });

    [Fact]
    public void Refusals() => Run(3, async cluster =>
    {
        var node = cluster.Nodes[0];
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Story.Put("plain", key: Key))));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Story.Put("plain", key: Key) with { AsIs = true })));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Add("m") with { Key = Story.Key() })));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Add("m") with { AsIs = true })));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Add("m") with { IfNoneMatch = true })));
        Assert.IsType<KvError.InvalidRequest>(Story.Error(await node.AskAsync(Add("m") with { Update = new DataTypeUpdate(new DataTypeOperation.Increment(1), null) })));
        var removal = new DataTypeUpdate(new DataTypeOperation.ChangeSet([], [Bytes("absent")]), null);
        Assert.Equal(new KvError.NotPresent("<<\"absent\">>"), Story.Error(await cluster.Outsider(0, Key).AskAsync(Add("m") with { Update = removal })));
        Assert.IsType<KvOutcome.NotFound>(await node.AskAsync(Story.Get(Key)));
    });

    [Fact]
    public void Update_AnswersWithWhatWasAcknowledgedBefore_ThoughItsCoordinatorHadMissedIt() => Run(5, async cluster =>
    {
        var late = cluster.Primary(1, Key).Id;
        cluster.Network.Drop = (_, to, request) => to == late && request is PeerRequest.VnodePut;
        Assert.IsType<KvOutcome.Stored>(await cluster.Primary(0, Key).AskAsync(Add("before")));

        var answer = Assert.IsType<KvOutcome.Stored>(await cluster.Primary(1, Key).AskAsync(Add("now") with { ReturnBody = true }));

        Assert.Equal(["before", "now"], Members(answer.Object!));
    });

    private static void Run(int seed, Func<DataCluster, Task> story) => DataCluster.Run(seed, 5, cluster =>
    {
        cluster.SetType("sets", Sets);
        return story(cluster);
    });

    private static KvRequest.Put Add(string member) =>
        new() { Key = Key, Content = new Sibling { Dot = null }, Update = new DataTypeUpdate(new DataTypeOperation.ChangeSet([Bytes(member)], []), null) };

    private static async Task<IEnumerable<string>> MembersAsync(DataNode node)
    {
        return Members(Assert.IsType<KvOutcome.Found>(await node.AskAsync(Story.Get(Key))).Object);
    }

    private static IEnumerable<string> Members(KvObject held)
    {
        Assert.Single(held.Siblings);
        var state = (CausalDataType)DataTypeObject.Read(held, Sets, out _)!;
        return ((SetStore)state.Root).Values.Select(member => Encoding.UTF8.GetString(member.Span));
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
