using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Gates;

/// <summary>What was seen of a cluster, as the gate looks at it. Pure.</summary>
internal static class GateSnapshots
{
    public static GateSnapshot Of(Cluster cluster, ObservedCluster observed, ObservedRing ring) => new()
    {
        Members = [.. ring.Members.Select(member => MemberOf(member, observed))],
        Owners = ring.Owners,
        Quorums = ring.Quorums,
        // Without the bucket types nothing is known of what requests need.
        Views = ring.Quorums.IsEmpty ? 0 : ring.Views,
        Converged = ring.Converged,
        PendingTransfers = ring.PendingTransfers,
        HintViews = ring.HintViews,
        PendingHints = ring.PendingHints,
        Staged = ring.Staged.Length,
        Policy = new GatePolicy
        {
            Settle = TimeSpan.FromSeconds(cluster.Spec.Rollout.SettleSeconds),
            MinInterval = TimeSpan.FromSeconds(cluster.Spec.Rollout.MinIntervalSeconds),
            AllowUnavailable = cluster.Spec.Rollout.AvailabilityPolicy == AvailabilityPolicy.AllowUnavailable,
        },
    };

    private static GateMember MemberOf(ObservedMember member, ObservedCluster observed)
    {
        var node = observed.Nodes.FirstOrDefault(node => node.Name == member.Name);
        var answer = node?.Answer?.Id == member.Id ? node.Answer : null;
        var uptime = answer?.Uptime ?? TimeSpan.Zero;
        return new GateMember(member.Name)
        {
            IsValid = member.State == MemberState.Valid,
            IsReady = node is { Ready: true } && answer is not null,
            IsUp = member.SeenDownBy == 0 && member.SeenUpBy > 0 || observed.Ring is { Members.Length: 1 },
            // One peer that is cut off itself sees everybody down.
            IsDown = node is { IsBroken: true } || (member.SeenUpBy == 0 && member.SeenDownBy > observed.Ring!.Members.Length / 2),
            IsOnTrial = node is { IsOnTrial: true } && member.State == MemberState.Valid,
            DamagedPartitions = answer?.Damaged.Length ?? 0,
            UpFor = uptime < member.SeenUpFor ? uptime : member.SeenUpFor,
            Uptime = uptime,
            IsDiskCritical = answer is not null && DataHealth.IsDiskCritical(answer),
        };
    }
}
