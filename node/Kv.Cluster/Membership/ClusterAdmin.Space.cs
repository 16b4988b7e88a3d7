using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Membership;

/// <summary>Whether members have the room for what a plan brings them.</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>With what leavers bring it, a member keeps 1 / 5 of its disk free: nobody has to leave, and its own data grows on.</summary>
    private const int SpareDivisor = 5;

    /// <summary>With what the dead had, 1 / 20: what the operator takes for a disk that is nearly full. Copies that are missing are the greater risk, and a new node of the dead one's size has to do for it.</summary>
    private const int UrgentSpareDivisor = 20;

    /// <summary>
    /// What is handed over is as large as its owner says. What a dead member had is taken for as large as its neighbours on the ring, which hold most of the same keys. A node that is
    /// met for the first time is asked when the plan is committed.
    /// </summary>
    private async ValueTask<AdminRefusal?> WhyNoSpaceAsync(ClusterDocument staged, CancellationToken cancel)
    {
        if (ClusterPlan.Compute(staged) is not { } plan)
        {
            return null;
        }

        var asked = staged.Members.Where(m => state.Current.IsUp(m.Id) || m.State == MemberState.Joining).ToList();
        var answers = await Task.WhenAll(asked.Select(m => AskHoldingsAsync(m.Id, cancel).AsTask()));
        var holdings = asked.Zip(answers).ToDictionary(pair => pair.First.Id, pair => pair.Second);
        var gains = plan.Transfers.Select(t => (t.Partition, t.To, From: (NodeId?)t.From))
            .Concat(plan.Rebuilding.Where(p => plan.Ring.Owner(p) != staged.Ring.Owner(p)).Select(p => (Partition: p, To: plan.Ring.Owner(p), From: (NodeId?)null)));
        foreach (var gain in gains.GroupBy(g => g.To).Where(g => state.Current.Document?.FindMember(g.Key) is not null))
        {
            var name = staged.FindMember(gain.Key)!.Name;
            if (holdings.GetValueOrDefault(gain.Key) is not { } target || gain.Any(g => g.From is { } from && holdings.GetValueOrDefault(from) is null && !plan.IsUrgent))
            {
                return new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{name}, or who gives to it, does not say how much it holds");
            }

            var comes = gain.Sum(g => g.From is { } from ? BytesOf(holdings.GetValueOrDefault(from), g.Partition) : BytesLike(staged.Ring, holdings, g.Partition));
            if (await WhyNoRoomAsync(gain.Key, name, target, comes, plan.IsUrgent ? UrgentSpareDivisor : SpareDivisor, cancel) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private async ValueTask<AdminRefusal?> WhyNoRoomAsync(NodeId node, string name, PeerReply.Holdings held, long comes, int divisor, CancellationToken cancel) =>
        await AskVolumeAsync(node, held, cancel) switch
        {
            null => new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"{name} does not say what room it has"),
            { } volume when volume.Takes(comes, divisor) => null,
            { } volume => new AdminRefusal(
                AdminRefusalKind.FailedPrecondition,
                RefusalReason.NoSpace,
                $"{name} has {volume.FreeBytes} bytes free and is to take {comes}, and {volume.SpareBytes(divisor)} are to stay free: 1/{divisor} of its disk, or what its stores need"),
        };

    /// <summary>An older program does not know the question: what its partitions hold is the least that its files take.</summary>
    private async ValueTask<VolumeSpace?> AskVolumeAsync(NodeId node, PeerReply.Holdings held, CancellationToken cancel) => node == self.Id
        ? space()
        : await transport.SendAsync(node, new PeerRequest.GetVolume(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel) switch
        {
            PeerReply.Volume told => told.Space,
            PeerReply.Refused refused when refused.Reason.StartsWith(PeerReply.Refused.Unreadable, StringComparison.Ordinal) => new VolumeSpace(held.FreeBytes, held.Partitions.Sum(p => p.Bytes), 0),
            _ => null,
        };

    private static long BytesOf(PeerReply.Holdings? holdings, PartitionId partition) => holdings?.Partitions.FirstOrDefault(p => p.Partition == partition).Bytes ?? 0;

    private static long BytesLike(Ring ring, Dictionary<NodeId, PeerReply.Holdings?> holdings, PartitionId partition)
    {
        var before = new PartitionId((partition.Number + ring.Size - 1) % ring.Size);
        var after = new PartitionId((partition.Number + 1) % ring.Size);
        return Math.Max(BytesOf(holdings.GetValueOrDefault(ring.Owner(before)), before), BytesOf(holdings.GetValueOrDefault(ring.Owner(after)), after));
    }

    private async ValueTask<PeerReply.Holdings?> AskHoldingsAsync(NodeId node, CancellationToken cancel) => node == self.Id
        ? GetHoldings()
        : await transport.SendAsync(node, new PeerRequest.GetHoldings(), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel) as PeerReply.Holdings;
}
