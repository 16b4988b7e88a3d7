using System.Collections.Immutable;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Clusters;

/// <summary>The world's objects plus what the nodes themselves say, in one value.</summary>
internal sealed class ClusterObserver(IClusterWorld world, INodeAdmin admin)
{
    private const int QuestionsAtOnce = 16;

    public async Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel)
    {
        var observed = await world.ObserveAsync(cluster, cancel);
        var nodes = await AskNodesAsync(observed.Nodes, cancel);
        var members = nodes.Where(node => node.Answer is { } answer && ClusterBlocks.IsOurs(cluster, answer)).ToImmutableArray();
        var ring = await AskRingAsync(members, cancel);
        return observed with { Nodes = nodes, Ring = ring };
    }

    private async Task<ImmutableArray<ObservedNode>> AskNodesAsync(ImmutableArray<ObservedNode> nodes, CancellationToken cancel)
    {
        var answered = new ObservedNode[nodes.Length];
        var options = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancel };
        await Parallel.ForAsync(0, nodes.Length, options, async (i, token) => answered[i] = await AskNodeAsync(nodes[i], token));
        return [.. answered];
    }

    private async Task<ObservedNode> AskNodeAsync(ObservedNode node, CancellationToken cancel)
    {
        if (!node.Running)
        {
            return node with { Ready = false };
        }

        try
        {
            var answer = await admin.GetNodeAsync(node.AdminAddress, cancel);
            return node with
            {
                Answer = new NodeAnswer(answer.Id, answer.ClusterId, answer.Version)
                {
                    DataBytes = answer.DataBytes,
                    FreeBytes = answer.DiskFreeBytes,
                    Uptime = TimeSpan.FromSeconds(answer.UptimeSeconds),
                    Certificate = answer.CertificateNotAfter == 0 ? null : new ObservedCertificate(TimeOf(answer.CertificateNotBefore), TimeOf(answer.CertificateNotAfter)),
                    IsRemoved = answer.Removed,
                    HeldPartitions = answer.HeldPartitions,
                    Damaged = [.. answer.Damaged.Select(damage => damage.Partition)],
                },
            };
        }
        catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException)
        {
            return node with { Problem = node.Problem ?? "does not answer" };
        }
    }

    private static DateTimeOffset TimeOf(long unixSeconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(unixSeconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()));

    /// <summary>All are asked: whether a node may go down takes all that its peers can tell, and one node's view may be old.</summary>
    private async Task<ObservedRing?> AskRingAsync(ImmutableArray<ObservedNode> nodes, CancellationToken cancel)
    {
        var answers = await AskAllAsync(nodes, admin.GetClusterAsync, cancel);
        if (answers.Where(answer => answer.Value.ClusterId.Length > 0).ToList() is not { Count: > 0 } told)
        {
            return null;
        }

        // A node that is staged knows the document but is no witness: it may hold an old one for long.
        var newest = told.MaxBy(answer => answer.Value.DocumentVersion);
        var witnesses = newest.Value.Members.Where(member => member.State != Admin.MemberState.Joining).Select(member => member.Id).ToHashSet(StringComparer.Ordinal);
        var views = told.Where(answer => witnesses.Contains(answer.Node.Answer!.Id)).ToList();
        var ring = ToRing(newest.Value);
        ring = ring with
        {
            Converged = views.Count > 0 && views.All(view => view.Value.Converged && view.Value.DocumentVersion == newest.Value.DocumentVersion),
            Views = views.Count,
            Missing = [.. ring.Rebuilding, .. nodes.Select(node => node.Answer).OfType<NodeAnswer>().SelectMany(answer => answer.Damaged.Where(partition => DamagePlanner.IsOwned(ring, answer, partition)))],
        };
        var peers = (await AskAllAsync(nodes, admin.GetPeersAsync, cancel))
            .DistinctBy(answer => answer.Node.Answer!.Id, StringComparer.Ordinal) // a volume that was copied answers by the id of the other
            .ToDictionary(answer => answer.Node.Answer!.Id, answer => answer.Value, StringComparer.Ordinal);
        ring = ring with { Members = [.. ring.Members.Select(member => Witnessed(member, views, peers))] };
        ring = ring.Staged.Length > 0 ? await WithPlanAsync(ring, newest.Node.AdminAddress, cancel) : ring;
        ring = await WithQuorumsAsync(ring, newest.Node.AdminAddress, cancel);
        return await WithTransfersAsync(ring, nodes, cancel);
    }

    /// <summary>Those that answered, several at once.</summary>
    private static async Task<ImmutableArray<(ObservedNode Node, T Value)>> AskAllAsync<T>(
        ImmutableArray<ObservedNode> nodes, Func<string, CancellationToken, Task<T>> ask, CancellationToken cancel)
    {
        var answers = new (ObservedNode Node, T Value)?[nodes.Length];
        var options = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancel };
        await Parallel.ForAsync(0, nodes.Length, options, async (i, token) =>
        {
            try
            {
                answers[i] = (nodes[i], await ask(nodes[i].AdminAddress, token));
            }
            catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException)
            {
                // The others may tell.
            }
        });
        return [.. answers.OfType<(ObservedNode, T)>()];
    }

    private static ObservedMember Witnessed(ObservedMember member, List<(ObservedNode Node, Admin.Cluster Value)> views, Dictionary<string, Admin.Peers> peers)
    {
        var others = views.Where(view => view.Node.Answer!.Id != member.Id).ToList();
        var up = others.Count(view => view.Value.Members.Any(one => one.Id == member.Id && one.Up));
        return member with
        {
            SeenUpBy = up,
            SeenDownBy = others.Count - up,
            SeenUpFor = others.Select(view => SeenUpFor(member, peers.GetValueOrDefault(view.Node.Answer!.Id))).DefaultIfEmpty(TimeSpan.MaxValue).Min(),
        };
    }

    /// <summary>By the clock of the node that sees. No time at all where it does not see it up, or does not say.</summary>
    private static TimeSpan SeenUpFor(ObservedMember member, Admin.Peers? told) =>
        told?.Peers_.FirstOrDefault(peer => peer.Id == member.Id) is { Up: true } seen ? TimeSpan.FromMilliseconds(seen.MillisecondsInState) : TimeSpan.Zero;

    private async Task<ObservedRing> WithQuorumsAsync(ObservedRing ring, string address, CancellationToken cancel)
    {
        try
        {
            var told = await admin.ListBucketTypesAsync(address, cancel);
            return ring with { Quorums = GateQuorums.Of(told), NVals = GateQuorums.NValsOf(told) };
        }
        catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException)
        {
            // The gate stays closed without them.
            return ring;
        }
    }

    private async Task<ObservedRing> WithPlanAsync(ObservedRing ring, string address, CancellationToken cancel)
    {
        try
        {
            var plan = await admin.GetPlanAsync(address, cancel);
            return ring with { PlanId = plan.PlanId, PlannedTransfers = plan.Transfers, PlanWarnings = [.. plan.Warnings] };
        }
        catch (Exception e) when (e is NodeUnreachableException or NodeRefusedException)
        {
            return ring;
        }
    }

    private async Task<ObservedRing> WithTransfersAsync(ObservedRing ring, ImmutableArray<ObservedNode> nodes, CancellationToken cancel)
    {
        var transfers = new Dictionary<(Admin.Transfer.Types.Kind, int, string, string), Admin.Transfer>();
        var answers = await AskAllAsync(nodes, admin.GetTransfersAsync, cancel);
        foreach (var (_, told) in answers)
        {
            foreach (var transfer in told.Transfers_)
            {
                transfers[(transfer.Kind, transfer.Partition, transfer.From, transfer.To)] = transfer;
            }
        }

        // Hints are no part of what is being done; but those that their owner does not take need somebody as much as a transfer that is stuck.
        var moving = transfers.Values.Where(transfer => transfer.Kind != Admin.Transfer.Types.Kind.Hinted);
        var begun = transfers.Values.Where(transfer => transfer.State != Admin.Transfer.Types.State.Waiting).ToList();
        return ring with
        {
            TransferredObjects = moving.Sum(transfer => transfer.ObjectsSent),
            LongestStall = TimeSpan.FromSeconds(begun.Select(transfer => transfer.SecondsSinceProgress).DefaultIfEmpty().Max()),
            LastTransferError = ErrorOf(begun),
            HintViews = answers.Count(answer => ring.MemberById(answer.Node.Answer!.Id) is not null),
            PendingHints = transfers.Values.Count(transfer => transfer.Kind == Admin.Transfer.Types.Kind.Hinted),
        };
    }

    /// <summary>Of one that is stuck, else of one that moves. Always of the same one while the same ones are stuck: which of them is the slowest changes, and with it the status would.</summary>
    private static string ErrorOf(IEnumerable<Admin.Transfer> transfers) => transfers
        .OrderBy(transfer => TimeSpan.FromSeconds(transfer.SecondsSinceProgress) < ClusterStatusBuilder.StalledAfter)
        .ThenBy(transfer => transfer.Kind)
        .ThenBy(transfer => transfer.Partition)
        .ThenBy(transfer => transfer.From, StringComparer.Ordinal)
        .ThenBy(transfer => transfer.To, StringComparer.Ordinal)
        .FirstOrDefault()?.LastError ?? "";

    private static ObservedRing ToRing(Admin.Cluster view) => new()
    {
        Version = view.DocumentVersion,
        RingSize = view.RingSize,
        Members = [.. view.Members.Select(member => new ObservedMember(member.Id, member.Name, ToState(member.State), member.Partitions, member.NextPartitions, member.Up))],
        Staged = [.. view.Staged.Select(ToStaged)],
        Owners = [.. view.Owners.Select(owner => (int)owner)],
        PendingTransfers = view.PendingTransfers + view.Rebuilding.Count,
        Rebuilding = [.. view.Rebuilding.Select(partition => (int)partition)],
    };

    private static ObservedStaged ToStaged(Admin.StagedChange staged) => new(staged.Kind == Admin.StagedChange.Types.Kind.Join, staged.NodeId, staged.NodeName)
    {
        LostId = staged.Kind switch
        {
            Admin.StagedChange.Types.Kind.Replace => staged.ReplacesId,
            Admin.StagedChange.Types.Kind.Remove => staged.NodeId,
            _ => null,
        },
    };

    private static MemberState ToState(Admin.MemberState state) => state switch
    {
        Admin.MemberState.Joining => MemberState.Joining,
        Admin.MemberState.Valid => MemberState.Valid,
        Admin.MemberState.Leaving => MemberState.Leaving,
        Admin.MemberState.Exiting => MemberState.Exiting,
        Admin.MemberState.Down => MemberState.Down,
        _ => MemberState.Unknown,
    };
}
