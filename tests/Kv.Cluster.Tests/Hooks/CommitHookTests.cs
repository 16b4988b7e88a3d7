using Kv.Cluster.Hooks;
using Kv.Cluster.Peers;
using Kv.Cluster.Tests.Coordination;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.TestKit;
using Xunit;

namespace Kv.Cluster.Tests.Hooks;

/// <summary>Which hooks a write is shown to, when, and what becomes of it.</summary>
public sealed class CommitHookTests
{
    private const string Hooked = "hooked";

    private static readonly ObjectKey Key = Story.Key(type: Hooked);

    [Fact]
    public void Put_FromAnywhere_IsAskedOnce_WrittenAsTheHooksHaveIt_AndToldOnce() => Run(1, async cluster =>
    {
        cluster.Hooks.Answer = (hook, shown) => new PreCommitAnswer.Replaced(Story.Value($"{Story.Values(shown)[0]}+{hook}"));
        foreach (var node in new[] { cluster.Outsider(key: Key), cluster.Primary(key: Key) })
        {
            cluster.Hooks.Asked.Clear();
            cluster.Hooks.Told.Clear();
            var stored = Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("v", key: Key) with { ReturnBody = true, Context = await ClockAsync(cluster) }));
            Assert.Equal(["v+check+stamp"], Story.Values(stored.Object!));
            Assert.Equal([("check", "v"), ("stamp", "v+check")], cluster.Hooks.Asked.Select(asked => (asked.Hook, Story.Values(asked.Object)[0])));
            var told = Assert.Single(cluster.Hooks.Told);
            Assert.Equal(("tell", Key), (told.Hook, told.Key));
            Assert.True(told.Object.IsSameAs(stored.Object!));
        }
    });

    [Fact]
    public void Put_ThatAHookRefuses_LeavesNothing() => Run(2, async cluster =>
    {
        cluster.Hooks.Answer = static (hook, _) => hook == "check" ? new PreCommitAnswer.Refused("too long") : new PreCommitAnswer.Accepted();
        Assert.Equal(new KvError.PreCommitFailed("too long", IsOfHook: false), Story.Error(await cluster.Outsider(key: Key).AskAsync(Story.Put("v", key: Key))));
        Assert.All(await cluster.HeldByPrimariesAsync(Key), Assert.Null);
        Assert.Single(cluster.Hooks.Asked);
        Assert.Empty(cluster.Hooks.Told);
        Assert.Equal(1, cluster.Nodes.Sum(node => node.Statistics.PreCommitFailures));
    });

    [Fact]
    public void Put_WhoseHookFails_IsRefused_AndMayBeTriedAgain() => Run(3, async cluster =>
    {
        var error = Assert.IsType<KvError.PreCommitFailed>(Story.Error(await cluster.Outsider(key: Key).AskAsync(Story.Put("v", key: Key))));
        Assert.True(error.IsRetryable);
        Assert.Contains("there is no hook named check", error.Message, StringComparison.Ordinal);
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Overloaded();
        Assert.Equal(new KvError.Overload(Indeterminate: false), Story.Error(await cluster.Outsider(key: Key).AskAsync(Story.Put("v", key: Key))));
        Assert.All(await cluster.HeldByPrimariesAsync(Key), Assert.Null);
    });

    /// <summary>A hook whose silence is no refusal takes all the time there is: what is written after it no replica would be sent.</summary>
    [Fact]
    public void Put_WhoseHookTakesAllTheTime_LeavesNothing() => Run(6, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        cluster.Hooks.Meanwhile = () => cluster.WaitAsync(2);
        var put = Story.Put("v", key: Key) with { Timeout = TimeSpan.FromSeconds(3) };
        Assert.Equal(new KvError.Timeout(Indeterminate: false), Story.Error(await cluster.Primary(key: Key).AskAsync(put)));
        await cluster.WaitAsync(5);
        Assert.All(await cluster.HeldByPrimariesAsync(Key), Assert.Null);
    });

    [Fact]
    public void Put_WhoseConditionIsOvertakenWhileAHookIsAsked_IsRefused() => Run(7, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        cluster.Hooks.Meanwhile = async () =>
        {
            cluster.Hooks.Meanwhile = null;
            await cluster.Primary(1, Key).StoreAsync("other", key: Key);
        };
        var put = Story.Put("v", key: Key) with { IfNoneMatch = true };
        Assert.IsType<KvError.MatchFound>(Story.Error(await cluster.Primary(key: Key).AskAsync(put)));
        Assert.Equal(["other"], Story.Values(await cluster.Primary(key: Key).AskAsync(Story.Get(Key))));
    });

    [Fact]
    public void Delete_IsAWrite_ThatAHookMayRefuse_ButNotAnswerWithAValue() => Run(4, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        var node = cluster.Primary(key: Key);
        await node.StoreAsync("v", key: Key);
        var delete = new KvRequest.Delete { Key = Key };
        cluster.Hooks.Answer = static (_, shown) => shown.IsTombstone ? new PreCommitAnswer.Refused("") : new PreCommitAnswer.Accepted();
        Assert.Equal(new KvError.PreCommitFailed("", IsOfHook: false), Story.Error(await node.AskAsync(delete)));
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Replaced(Story.Value("back"));
        Assert.Equal(new KvError.PreCommitFailed("the hook check answered a delete with a value", IsOfHook: true), Story.Error(await node.AskAsync(delete)));
        Assert.Equal(["v"], Story.Values(await node.AskAsync(Story.Get(Key))));

        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        Assert.IsType<KvOutcome.Deleted>(await node.AskAsync(delete));
        Assert.True(cluster.Hooks.Told[^1].Object.IsTombstone);
    });

    [Fact]
    public void Put_ThatMissesItsQuorum_IsToldToNobody() => Run(5, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        cluster.Network.Instead = static (_, _, request) => request is PeerRequest.VnodePut ? new PeerReply.Refused("it is broken") : null;
        Assert.IsType<KvError.Unsatisfied>(Story.Error(await cluster.Primary(key: Key).AskAsync(Story.Put("v", key: Key))));
        Assert.Equal(2, cluster.Hooks.Asked.Count);
        Assert.Empty(cluster.Hooks.Told);
    });

    [Fact]
    public void Put_WhoseConditionFails_IsShownToNobody() => Run(6, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        var node = cluster.Primary(key: Key);
        await node.StoreAsync("v", key: Key);
        cluster.Hooks.Asked.Clear();
        Assert.IsType<KvError.MatchFound>(Story.Error(await node.AskAsync(Story.Put("w", key: Key) with { IfNoneMatch = true })));
        Assert.Empty(cluster.Hooks.Asked);
    });

    /// <summary>What a hook makes of a value has the bounds of what a client sends.</summary>
    [Fact]
    public void Put_ThatAHookMakesTooLarge_IsRefused() => Run(7, async cluster =>
    {
        cluster.Hooks.Answer = (_, _) => new PreCommitAnswer.Replaced(Story.Value(new string('v', (int)cluster.Options.MaxObjectBytes + 1)));
        Assert.IsType<KvError.ObjectTooLarge>(Story.Error(await cluster.Primary(key: Key).AskAsync(Story.Put("v", key: Key))));
    });

    [Fact]
    public void Put_AsIs_IsShownToo_AndTheEndOfAnObjectWhoseTimeIsOverIsNot() => Run(8, async cluster =>
    {
        cluster.Hooks.Answer = static (_, _) => new PreCommitAnswer.Accepted();
        var node = cluster.Primary(key: Key);
        Assert.IsType<KvOutcome.Stored>(await node.AskAsync(Story.Put("v", key: Key) with { AsIs = true }));
        Assert.Equal((2, 1), (cluster.Hooks.Asked.Count, cluster.Hooks.Told.Count));
        var seen = Story.Clock(await node.AskAsync(Story.Get(Key)));
        await node.AskAsync(new KvRequest.Delete { Key = Key, Context = seen, IsExpiry = true, IsForwarded = true, SloppyQuorum = false });
        Assert.Equal((2, 1), (cluster.Hooks.Asked.Count, cluster.Hooks.Told.Count));
    });

    [Fact]
    public void Counter_OfABucketWithHooks_IsRefused() => Run(9, async cluster =>
    {
        var key = Story.Key(type: ObjectKey.DefaultType);
        var props = BucketProps.DefaultType with { AllowMult = true, PostCommit = ["tell"] };
        cluster.Decide(document => document with { Buckets = document.Buckets.SetItem(new BucketName(key.BucketType, key.Bucket), props) });
        var update = new KvRequest.Put { Key = key, Content = new Sibling { Dot = null }, Update = new DataTypeUpdate(new DataTypeOperation.Increment(1), null) };
        var error = Assert.IsType<KvError.InvalidRequest>(Story.Error(await cluster.Primary(key: key).AskAsync(update)));
        Assert.Contains("commit hooks", error.Message, StringComparison.Ordinal);
    });

    private static async Task<Kv.Core.Causality.VersionVector> ClockAsync(DataCluster cluster) =>
        await cluster.Primary(key: Key).AskAsync(Story.Get(Key)) is KvOutcome.Found found ? found.Object.Clock : Kv.Core.Causality.VersionVector.Empty;

    private static void Run(int seed, Func<DataCluster, Task> story) => DataCluster.Run(seed, 5, async cluster =>
    {
        cluster.SetType(Hooked, BucketProps.NewType with { PreCommit = ["check", "stamp"], PostCommit = ["tell"] });
        await story(cluster);
    });
}
