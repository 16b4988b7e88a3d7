using Kv.Cluster.Membership;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>Administrators: each does one thing, tries again while it is refused for a reason that passes, and gives up when the world heals.</summary>
internal sealed class AdminActor(SimWorld world)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private const int Attempts = 10;

    private const int MostClears = 120;

    private const int MostRebuilds = 60;

    /// <summary>Between two attempts to confirm an exit: the moment in which it is possible and too early is short.</summary>
    private static readonly TimeSpan ExitPause = TimeSpan.FromMilliseconds(200);

    public async Task RunAsync(AdminCall call)
    {
        switch (call)
        {
            case AdminCall.Join join:
                string[] addresses = [.. join.Nodes.Select(world.Node).Select(node => node.Address)];
                await StageAndCommitAsync(call, admin => admin.StageJoinAsync(addresses, default), join.CommitsTwice);
                break;
            case AdminCall.Leave leave:
                var leaver = world.Node(leave.Node).Id;
                await StageAndCommitAsync(call, admin => admin.StageLeaveAsync([leaver], false, allowFewerZones: false, default), leave.CommitsTwice);
                break;
            case AdminCall.Replace replace:
                await ReplaceAsync(call, world.Node(replace.Dead).Name, world.Node(replace.With), replace.CommitsTwice);
                break;
            case AdminCall.Remove remove:
                await RemoveAsync(call, MemberNamed(world.Node(remove.Dead).Name), remove.CommitsTwice);
                break;
            case AdminCall.Rebuild rebuild:
                await RebuildAsync(rebuild);
                break;
            case AdminCall.ChangeProps change:
                var type = world.Plan.Types[change.Type];
                _ = change.IsOfBucket
                    ? (await AskAsync(call, admin => admin.SetBucketPropsAsync(type.Bucket, change.Props, default))).IsOk
                    : (await AskAsync(call, admin => admin.UpdateBucketTypeAsync(type.Name, change.Props, default))).IsOk;
                break;
            case AdminCall.MarkDown down:
                await AskAsync(call, admin => admin.MarkDownAsync(world.Node(down.Node).Id, default));
                break;
            case AdminCall.MarkUp up:
                await AskAsync(call, admin => admin.MarkUpAsync(world.Node(up.Node).Id, default));
                break;
            case AdminCall.ConfirmExit exit:
                await ConfirmExitAsync(call, world.Node(exit.Node).Id);
                break;
            case AdminCall.Clear:
                await AskAsync(call, admin => admin.ClearStagedAsync(default));
                break;
            case AdminCall.Commit:
                await CommitAsync(call, null);
                break;
        }
    }

    /// <summary>After the healing: what is staged and was never committed is taken back, members whose volumes are gone are given up, what is damaged is rebuilt, and everything takes part in anti-entropy.</summary>
    public async Task FinishAsync()
    {
        var call = new AdminCall.Clear(0, world.Now, 0);
        for (var attempt = 0; attempt < MostClears && world.Cluster.Document is { Staged.IsEmpty: false }; attempt++)
        {
            await AskAsync(call, admin => admin.ClearStagedAsync(default));
            await world.DelayAsync(Pause);
        }

        foreach (var dead in Members.Where(IsGone))
        {
            for (var attempt = 0; attempt < Attempts && world.Cluster.Document.FindMember(dead.Id) is not null; attempt++)
            {
                // What somebody was still staging when all was cleared stands in the way.
                await AskAsync(call, admin => admin.ClearStagedAsync(default));
                await (world.Cluster.Up.FirstOrDefault(node => node.Name == dead.Name && node.Document is null) is { } heir
                    ? ReplaceAsync(call, dead.Name, heir, twice: false)
                    : RemoveAsync(call, dead, twice: false));
            }
        }

        for (var attempt = 0; attempt < MostRebuilds && Damaged.ToList() is { Count: > 0 } damaged; attempt++)
        {
            foreach (var node in damaged)
            {
                await RebuildDamagedAsync(call, node);
            }

            await world.DelayAsync(Pause);
        }

        foreach (var type in world.Plan.Types.Where((_, place) => world.Plan.Events.OfType<AdminCall.ChangeProps>().Any(change => change.Type == place)))
        {
            for (var attempt = 0; attempt < Attempts && world.Cluster.Document.EffectiveProps(type.Bucket) is { Aae: false }; attempt++)
            {
                await AskAsync(call, admin => admin.UpdateBucketTypeAsync(type.Name, """{"aae":true}""", default));
                await AskAsync(call, admin => admin.ResetBucketPropsAsync(type.Bucket, default));
            }
        }
    }

    /// <summary>As nodes that are up know them: none where there is none.</summary>
    private IReadOnlyList<Member> Members => world.Cluster.Document is { } document ? document.Members : [];

    /// <summary>Members with damaged partitions.</summary>
    private IEnumerable<SimNode> Damaged => world.Cluster.Up.Where(node => node is { Document: not null, Volume.Reported.Count: > 0 } && Members.Any(member => member.Id == node.Id));

    /// <summary>Whether the member's volume exists no more.</summary>
    private bool IsGone(Member member) => world.Cluster.Nodes.All(node => node.Id != member.Id);

    private Member? MemberNamed(string name) =>
        Members.FirstOrDefault(member => member.Name == name && member.State != MemberState.Joining);

    private async Task ReplaceAsync(AdminCall call, string name, SimNode heir, bool twice)
    {
        if (MemberNamed(name) is { } dead && dead.Id != heir.Id)
        {
            await StageAndCommitAsync(call, admin => admin.StageReplaceAsync(dead.Id, heir.Address, allowDataLoss: false, default), twice);
        }
    }

    private async Task RemoveAsync(AdminCall call, Member? dead, bool twice)
    {
        if (dead is not null)
        {
            await StageAndCommitAsync(call, admin => admin.StageRemoveAsync(dead.Id, allowFewerReplicas: true, allowDataLoss: false, default), twice);
        }
    }

    /// <summary>Looks until the node says that something is damaged, and has that rebuilt.</summary>
    private async Task RebuildAsync(AdminCall.Rebuild call)
    {
        while (!world.IsHealed && !await RebuildDamagedAsync(call, world.Node(call.Node)))
        {
            await world.DelayAsync(Pause);
        }
    }

    /// <summary>True where there was something to order. Only for what the node held for another it says that it may be lost: nothing of its own may be refused.</summary>
    private async Task<bool> RebuildDamagedAsync(AdminCall call, SimNode node)
    {
        var damaged = node is { IsUp: true, Document: not null } ? node.Node.Admin.GetNode().Damaged.Keys.ToList() : [];
        foreach (var partition in damaged)
        {
            var isOwn = node.Document?.Ring is { } ring && ring.Owner(partition) == node.Id;
            await AskAsync(call, admin => admin.RebuildPartitionAsync(partition, allowDataLoss: !isOwn, default), who => who == node);
        }

        return damaged.Count > 0;
    }

    /// <summary>Forgets the members that own nothing any more. False while one is still to be forgotten.</summary>
    public async Task<bool> ConfirmExitsAsync()
    {
        var call = new AdminCall.Clear(0, world.Now, 0);
        foreach (var leaver in world.Cluster.Document.Members.Where(member => member.State is MemberState.Exiting or MemberState.Leaving))
        {
            await AskForExitAsync(call, leaver.Id);
        }

        return world.Cluster.Document.Members.All(member => member.State is not (MemberState.Exiting or MemberState.Leaving));
    }

    /// <summary>Asks at once, and then whenever the member is on its way out, until it is done or everything heals.</summary>
    private async Task ConfirmExitAsync(AdminCall call, NodeId leaver)
    {
        var answer = await AskForExitAsync(call, leaver);
        while (!world.IsHealed && answer is not { IsOk: true, Value: not null })
        {
            await world.DelayAsync(ExitPause);
            if (Members.Any(member => member.Id == leaver && member.State is (MemberState.Leaving or MemberState.Exiting)))
            {
                answer = await AskForExitAsync(call, leaver);
            }
        }
    }

    /// <summary>A member cannot confirm its own exit.</summary>
    private Task<AdminResult<ClusterView>> AskForExitAsync(AdminCall call, NodeId leaver) =>
        AskAsync(call, admin => admin.ConfirmExitAsync(leaver, default), other => other.Id != leaver);

    private async Task StageAndCommitAsync(AdminCall call, Func<ClusterAdmin, ValueTask<AdminResult<PlanView>>> stage, bool twice)
    {
        // What is begun while faults run ends with them; what is left to do afterwards is done then.
        var isLate = world.IsHealed;
        for (var attempt = 0; attempt < Attempts && world.IsHealed == isLate; attempt++)
        {
            var plan = await AskAsync(call, stage);
            if (plan.IsOk && plan.Value is { PlanId.Length: > 0 } staged)
            {
                await world.DelayAsync(call.Thinks ?? TimeSpan.Zero);
                if (twice)
                {
                    // A command that was sent twice, the second before the first was answered.
                    _ = CommitAsync(call, staged.PlanId);
                }

                if (await CommitAsync(call, staged.PlanId))
                {
                    return;
                }
            }

            await world.DelayAsync(Pause);
        }
    }

    /// <summary>Commits the plan of this id, or where that is null whatever the node shows.</summary>
    private async Task<bool> CommitAsync(AdminCall call, string? planId)
    {
        var committed = await AskAsync(call, admin =>
        {
            var asked = planId ?? admin.GetPlan().Value?.PlanId ?? "";
            world.Documents.Asks(asked);
            return admin.CommitAsync(asked, default);
        });
        return committed.IsOk && committed.Value is not null;
    }

    private async Task<AdminResult<T>> AskAsync<T>(AdminCall call, Func<ClusterAdmin, ValueTask<AdminResult<T>>> ask, Func<SimNode, bool>? who = null)
        where T : class
    {
        if (world.Serving(call.By, who) is not { } node)
        {
            return default;
        }

        var asked = node.InAsync(async () => await ask(node.Node.Admin));
        await Task.WhenAny(asked, world.DelayAsync(TimeSpan.FromSeconds(30)));
        var answer = asked.IsCompletedSuccessfully ? await asked : default;
        world.Journal.Note($"{call.Number,4}   admin at {node.Name}: {(answer.IsOk ? answer.Value is null ? "no answer" : "done" : $"{answer.Refusal}")}");
        return answer;
    }
}
