using System.Collections.Immutable;
using Kv.Cluster.Membership;
using Kv.Core.Membership;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.TestKit;

namespace Kv.Simulation.Stories;

/// <summary>The stories, in the order in which a newcomer would read them.</summary>
public static class AllStories
{
    public static ImmutableArray<Story> All { get; } =
    [
        new("forming", 3, FormAsync),
        new("joining", 5, JoinAsync),
        new("leaving", 5, LeaveAsync),
        new("two-administrators", 5, TwoAdministratorsAsync),
        new("siblings", 5, SiblingsAsync),
        new("sloppy-write", 5, SloppyWriteAsync),
        new("alone", 5, AloneAsync),
        new("delete-that-stays", 5, DeleteThatStaysAsync),
        new("lost-disk", 5, LostDiskAsync),
        new("power-cut", 5, PowerCutAsync),
        new("primaries-asked-for", 5, PrimariesAskedForAsync),
        new("written-once", 5, WrittenOnceAsync),
        new("slow-clock", 5, SlowClockAsync),
    ];

    private static async Task FormAsync(StoryTeller story)
    {
        var cluster = story.Cluster;
        story.Say("Three nodes with empty volumes are in no cluster and take no requests.");
        await story.GetAsync(cluster.Nodes[0], "k");
        story.Say("An administrator makes a cluster of the first, and joins the other two as one plan.");
        await cluster.FormAsync(3, ringSize: 8);
        story.ShowMembers();
        story.Say("A bucket type is made, and the first object is written and read by different nodes.");
        await story.MakeTypeAsync();
        await story.PutAsync(cluster.Nodes[1], "k", "hello");
        await story.GetAsync(cluster.Nodes[2], "k");
        story.ShowHolders("k");
    }

    private static async Task JoinAsync(StoryTeller story)
    {
        var cluster = story.Cluster;
        await BeginAsync(story, 4, "Four nodes hold an object; a fifth stands by.");
        await story.PutAsync(cluster.Nodes[0], "k", "old");
        story.ShowHolders("k");
        story.Say("The fifth joins: staged, planned, committed. What moves is written on meanwhile.");
        await cluster.JoinAsync(cluster.Nodes[0], [cluster.Nodes[4]]);
        await cluster.UntilAsync(() => RingTransition.HasPending(cluster.Document.Ring), 10, "partitions move");
        story.ShowMembers();
        await story.GetAsync(cluster.Nodes[1], "k", client: "anna");
        await story.PutAsync(cluster.Nodes[1], "k", "new", client: "anna");
        await story.SettleAsync();
        story.ShowMembers();
        story.ShowHolders("k");
        await story.GetAsync(cluster.Nodes[4], "k");
    }

    private static async Task LeaveAsync(StoryTeller story)
    {
        var cluster = story.Cluster;
        await BeginAsync(story, 5, "Five nodes; the one that coordinated the object is to go.");
        var leaver = story.Primary("k");
        var admin = story.Outsider("k");
        await story.PutAsync(leaver, "k", "kept");
        story.ShowHolders("k");
        story.Say($"{leaver.Name} leaves. While one of the others is away nobody may.");
        var away = story.Outsider("k", 1);
        await story.LosePowerAsync(away);
        var refused = await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([leaver.Id], false, allowFewerZones: false, default));
        story.Line($"{admin.Name}: {leaver.Name} to leave -> {refused.Refusal}");
        await story.StartAsync(away);
        await story.SettleAsync();
        var plan = SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.StageLeaveAsync([leaver.Id], false, allowFewerZones: false, default)));
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(plan.PlanId, default)));
        story.Line($"{admin.Name}: {leaver.Name} to leave -> committed");
        story.ShowMembers();
        await cluster.UntilAsync(() => cluster.Document.FindMember(leaver.Id)?.State == MemberState.Exiting, 200, "the leaver owns nothing");
        await cluster.UntilAsync(() => leaver.Node.Admin.GetNode().Held == 0, 100, "the leaver holds nothing");
        story.Say("It owns nothing any more, holds nothing, and takes no requests. Only now is it forgotten.");
        story.ShowMembers();
        await story.GetAsync(leaver, "k");
        await cluster.SettleAsync();
        SimCluster.Expect(await admin.InAsync(async () => await admin.Node.Admin.ConfirmExitAsync(leaver.Id, default)));
        await cluster.SettleAsync();
        story.ShowMembers();
        story.ShowHolders("k");
        await story.GetAsync(admin, "k", r: QuorumValue.All);
    }

    private static async Task TwoAdministratorsAsync(StoryTeller story)
    {
        var cluster = story.Cluster;
        await BeginAsync(story, 3, "Three nodes; two administrators who do not know of each other each want one more.");
        var (one, two) = (cluster.Nodes[1], cluster.Nodes[2]);
        var plan = SimCluster.Expect(await one.InAsync(async () => await one.Node.Admin.StageJoinAsync([cluster.Nodes[3].Address], default)));
        story.Line($"{one.Name}: {cluster.Nodes[3].Name} to join -> planned, {plan.Transfers} partitions move");
        plan = await StageSecondAsync(story, two, cluster.Nodes[4], plan);
        story.Say("Both commit what is planned now, at once. It is carried out once.");
        foreach (var commit in new[] { one, two }.Select(node => node.InAsync(async () => await node.Node.Admin.CommitAsync(plan.PlanId, default))).ToList())
        {
            story.Line($"commit -> {((await commit).IsOk ? "done" : "refused")}");
        }

        await story.SettleAsync();
        story.ShowMembers();
    }

    private static async Task<PlanView> StageSecondAsync(StoryTeller story, SimNode by, SimNode joining, PlanView first)
    {
        var both = SimCluster.Expect(await by.InAsync(async () => await by.Node.Admin.StageJoinAsync([joining.Address], default)));
        story.Line($"{by.Name}: {joining.Name} to join -> planned, {both.Transfers} partitions move");
        story.Say("The first commits the plan that he saw. It is not what would be done now, and so nothing is.");
        var stale = await by.InAsync(async () => await by.Node.Admin.CommitAsync(first.PlanId, default));
        story.Line($"commit -> {(stale.IsOk ? "done" : $"refused: {stale.Refusal.Reason}")}");
        return both;
    }

    private static async Task SiblingsAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "Anna and Ben read the same value, and both replace it.");
        var (here, there) = (story.Primary("cart"), story.Outsider("cart"));
        await story.PutAsync(here, "cart", "milk");
        await story.GetAsync(here, "cart", client: "anna");
        await story.GetAsync(there, "cart", client: "ben");
        await story.PutAsync(here, "cart", "milk+bread", client: "anna");
        await story.PutAsync(there, "cart", "milk+beer", client: "ben");
        story.Say("Neither saw the other's: both stand, and milk, which both had seen, is gone.");
        await story.GetAsync(here, "cart", client: "anna");
        story.ShowHolders("cart");
        story.Say("Anna saw both and puts what she makes of them.");
        await story.PutAsync(there, "cart", "milk+bread+beer", client: "anna");
        await story.GetAsync(here, "cart");
        story.ShowHolders("cart");
        story.Say("Ben still has his old view. What he writes with it replaces milk and his own, which are gone already, and stands beside hers.");
        await story.PutAsync(here, "cart", "milk+wine", client: "ben");
        await story.GetAsync(here, "cart");
    }

    private static async Task SloppyWriteAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "An owner of the key is away when it is written.");
        var absent = story.Primary("k", 1);
        var writer = story.Primary("k");
        await story.LosePowerAsync(absent);
        await story.PutAsync(writer, "k", "written meanwhile");
        story.Say("Another node stands in: it holds the write under the absent owner's partition, a hint.");
        story.ShowHolders("k");
        await story.GetAsync(story.Outsider("k"), "k");
        story.Say("The owner comes back and is handed what is its own; the hint is dropped only then.");
        await story.StartAsync(absent);
        await story.SettleAsync();
        story.ShowHolders("k");
        await story.GetAsync(absent, "k", r: QuorumValue.All);
    }

    private static async Task AloneAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "One node is cut off from the four others, with a client on each side.");
        var alone = story.Outsider("k");
        var other = story.Primary("k");
        await story.PutAsync(other, "k", "before");
        await story.PartAsync(alone);
        story.Say("The lone node knows nothing of the key, and takes a write all the same.");
        await story.PutAsync(alone, "k", "by the one");
        await story.GetAsync(alone, "k");
        await story.GetAsync(other, "k", client: "anna");
        await story.PutAsync(other, "k", "by the four", client: "anna");
        story.ShowHolders("k");
        story.Say("They meet again: both writes were acknowledged, so both are there, on the owners and nowhere else.");
        story.Heal();
        await story.SettleAsync();
        await story.GetAsync(other, "k", r: QuorumValue.All);
        story.ShowHolders("k");
    }

    private static async Task DeleteThatStaysAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "An owner sleeps through a delete.");
        var (asleep, awake) = (story.Primary("k", 1), story.Primary("k"));
        await story.PutAsync(awake, "k", "doomed");
        await story.LosePowerAsync(asleep);
        await story.GetAsync(awake, "k", client: "anna");
        await story.DeleteAsync(awake, "k", client: "anna");
        await story.Cluster.DelayAsync(TimeSpan.FromSeconds(20));
        story.Say("The tombstone stays, however long ago the delete was: the sleeper still has the value and could bring it back.");
        story.ShowHolders("k");
        await story.GetAsync(awake, "k");
        story.Say("It comes back, is handed the tombstone, and only when all owners hold that is it removed.");
        await story.StartAsync(asleep);
        await story.SettleAsync();
        await story.GetAsync(asleep, "k", r: QuorumValue.All);
        await story.Cluster.DelayAsync(TimeSpan.FromSeconds(20));
        story.ShowHolders("k");
        await story.GetAsync(asleep, "k", r: QuorumValue.All);
    }

    private static async Task LostDiskAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "A node comes back without the data of a partition.");
        var victim = story.Primary("k");
        await story.PutAsync(victim, "k", "on three disks");
        await story.LosePowerAsync(victim);
        victim.Volume.Lose(story.Primaries("k", StoryTeller.Type)[0].Partition);
        await story.StartAsync(victim);
        await story.SettleAsync();
        story.ShowHolders("k");
        story.Say("It answers 'nothing', which does not outvote those who have it; the read puts it back.");
        await story.GetAsync(victim, "k", client: "anna");
        story.ShowHolders("k");
        story.Say("It coordinates again, as another actor than before, so that no two writes have one name.");
        await story.PutAsync(victim, "k", "and on", client: "anna");
        await story.GetAsync(story.Outsider("k"), "k", r: QuorumValue.All);
    }

    private static async Task PowerCutAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "The power of the whole building goes at once, right after an acknowledgement.");
        await story.PutAsync(story.Primary("k"), "k", "acknowledged");
        await story.LosePowerAsync([.. story.Cluster.Nodes]);
        await story.StartAsync([.. story.Cluster.Nodes]);
        await story.SettleAsync();
        story.ShowHolders("k");
        await story.GetAsync(story.Outsider("k"), "k");
    }

    private static async Task PrimariesAskedForAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "A client that wants owners, and no stand-ins, is told when there are too few.");
        var (first, second, third) = (story.Primary("k"), story.Primary("k", 1), story.Primary("k", 2));
        await story.PutAsync(first, "k", "one", pw: QuorumValue.Of(2));
        await story.LosePowerAsync(second, third);
        await story.PutAsync(first, "k", "two", pw: QuorumValue.Of(2));
        story.Say("Without that wish the write is taken.");
        await story.GetAsync(first, "k", client: "anna");
        await story.PutAsync(first, "k", "three", client: "anna");
        await story.StartAsync(second, third);
        await story.SettleAsync();
        await story.GetAsync(second, "k", r: QuorumValue.All);
        story.ShowHolders("k");
    }

    private static async Task WrittenOnceAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "In a write-once bucket two writers of one key end with one value, the same on all replicas.");
        await story.MakeTypeAsync("once", """{"write_once":true}""");
        await story.PutAsync(story.Cluster.Nodes[0], "k", "mine", type: "once");
        await story.PutAsync(story.Cluster.Nodes[1], "k", "yours", type: "once");
        await story.GetAsync(story.Cluster.Nodes[2], "k", type: "once");
        story.ShowHolders("k", "once");
    }

    private static async Task SlowClockAsync(StoryTeller story)
    {
        await BeginAsync(story, 5, "Where only the newest value stays, a clock that is a day behind does not write into the past of what it has seen.");
        await story.MakeTypeAsync("newest", """{"allow_mult":false}""");
        var (fast, slow) = (story.Primary("k", 0, "newest"), story.Primary("k", 1, "newest"));
        slow.Clock.Jump(TimeSpan.FromDays(-1));
        story.Line($"the clock of {slow.Name} is set back by a day");
        await story.PutAsync(fast, "k", "first", type: "newest");
        await story.GetAsync(slow, "k", client: "anna", type: "newest");
        await story.PutAsync(slow, "k", "second", client: "anna", type: "newest");
        await story.GetAsync(fast, "k", r: QuorumValue.All, type: "newest");
        story.ShowHolders("k", "newest");
    }

    private static async Task BeginAsync(StoryTeller story, int members, string first)
    {
        await story.Cluster.FormAsync(members, ringSize: 16);
        story.Say(first);
        await story.MakeTypeAsync();
    }
}
