using Kv.Cluster.Membership;
using Kv.Core.Rings;

namespace Kv.TestKit;

/// <summary>An administrator who gives dead members of a <see cref="SimCluster"/> up.</summary>
public static class SimLosses
{
    /// <summary>Stages that the node replaces a dead member and commits, again until it is done or a minute has passed.</summary>
    public static Task ReplaceAsync(this SimCluster cluster, SimNode by, NodeId dead, SimNode node) =>
        CommitAsync(cluster, by, dead, async admin => await admin.StageReplaceAsync(dead, node.Address, allowDataLoss: false, CancellationToken.None));

    /// <summary>Stages that a dead member is removed and commits, again until it is done or a minute has passed.</summary>
    public static Task RemoveAsync(this SimCluster cluster, SimNode by, NodeId dead) =>
        CommitAsync(cluster, by, dead, async admin => await admin.StageRemoveAsync(dead, allowFewerReplicas: true, allowDataLoss: false, CancellationToken.None));

    private static async Task CommitAsync(SimCluster cluster, SimNode by, NodeId dead, Func<ClusterAdmin, Task<AdminResult<PlanView>>> stage)
    {
        var refusal = "";
        for (var attempt = 0; attempt < 60 && cluster.Document.FindMember(dead) is not null; attempt++)
        {
            var admin = by.IsUp ? by : cluster.Up.First(node => node.Document is not null);
            var plan = await admin.InAsync(async () => await stage(admin.Node.Admin));
            refusal = $"{plan.Refusal}";
            if (plan is { IsOk: true, Value.PlanId: { Length: > 0 } planId })
            {
                var commit = await admin.InAsync(async () => await admin.Node.Admin.CommitAsync(planId, CancellationToken.None));
                refusal = $"{commit.Refusal}";
            }

            if (refusal.Length > 0)
            {
                await cluster.DelayAsync(TimeSpan.FromSeconds(1));
            }
        }

        if (cluster.Document.FindMember(dead) is not null)
        {
            throw new InvalidOperationException($"seed {cluster.Scheduler.Seed}: the loss was not committed: {refusal}");
        }
    }
}
