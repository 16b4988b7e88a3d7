using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Kv.Chaos.Load;
using Kv.Chaos.Machines;
using Kv.Protos.Admin.V1;

namespace Kv.Chaos.Rings;

/// <summary>What an operator asks of the nodes, again and again until it is done: nodes may be dead, cut off or busy at any moment.</summary>
internal sealed class RingAdmin(ChaosRing ring) : IDisposable
{
    public const int RingSize = 32;
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    // Stands still while there are faults: a dead or cut off member holds a change up for as long as it is away, and rightly. What is not done soon after the last fault never will be.
    private readonly Stopwatch calm = Stopwatch.StartNew();

    private readonly Dictionary<int, GrpcChannel> channels = ring.All.ToDictionary(node => node.Slot, node => GrpcChannel.ForAddress($"http://{node.Endpoint(Ports.Admin)}"));

    public Admin.AdminClient At(ChaosNode node) => new(channels[node.Slot]);

    /// <summary>When a call has to be done, from now.</summary>
    public static DateTime Deadline => DateTime.UtcNow + CallLimit;

    public void FaultsBegin() => calm.Stop();

    public void FaultsEnd() => calm.Start();

    /// <summary>The first ring, with its bucket types; throws if it does not come about.</summary>
    public async Task FormAsync(IReadOnlyList<ChaosNode> members, CancellationToken cancel)
    {
        await DoAsync("the ring", async () =>
        {
            var first = At(members[0]);
            await first.CreateClusterAsync(new CreateClusterRequest { ClusterName = "chaos", RingSize = RingSize }, deadline: Deadline, cancellationToken: cancel);
            var cluster = await first.GetClusterAsync(new GetClusterRequest(), deadline: Deadline, cancellationToken: cancel);
            if (cluster.Members.Count(member => member.State == MemberState.Valid) < members.Count)
            {
                await JoinOnceAsync(first, members.Skip(1), cancel);
            }

            return await UnsettledAsync(members, cancel);
        });
        foreach (var (name, props) in BucketTypes.Props)
        {
            await DoAsync($"bucket type {name}", async () =>
            {
                var first = At(members[0]);
                await first.CreateBucketTypeAsync(new CreateBucketTypeRequest { Name = name, PropsJson = props }, deadline: Deadline, cancellationToken: cancel);
                var type = await first.ActivateBucketTypeAsync(new ActivateBucketTypeRequest { Name = name }, deadline: Deadline, cancellationToken: cancel);
                return type.State == BucketType.Types.State.Active ? null : $"is {type.State}";
            });
        }
    }

    /// <summary>Takes running nodes without a cluster in; ends when they own their share. What went wrong, or null.</summary>
    public Task<string?> GrowAsync(IReadOnlyList<ChaosNode> joining, CancellationToken cancel) => Waits.UntilNoneAsync(
        () => TriedAsync(async () =>
        {
            var (asked, cluster) = await AskAsync(joining, cancel);
            var missing = joining.Where(node => !cluster.Members.Any(member => member.Name == node.Name && member.State == MemberState.Valid)).ToList();
            if (missing.Count > 0)
            {
                await JoinOnceAsync(asked, missing, cancel);
                return $"{string.Join(", ", missing.Select(node => node.Name))} did not become members";
            }

            return cluster.PendingTransfers == 0 ? null : $"{cluster.PendingTransfers} partitions are still to move to new members";
        }),
        Patience,
        calm,
        cancel);

    /// <summary>Lets members go; ends when they are forgotten. What went wrong, or null.</summary>
    public Task<string?> ShrinkAsync(IReadOnlyList<ChaosNode> leaving, CancellationToken cancel) => Waits.UntilNoneAsync(
        () => TriedAsync(async () =>
        {
            var (asked, cluster) = await AskAsync(leaving, cancel);
            var left = cluster.Members.Where(member => leaving.Any(node => node.Name == member.Name)).ToList();
            var valid = left.Where(member => member.State is MemberState.Valid or MemberState.Down).Select(member => member.Id).ToList();
            if (valid.Count > 0)
            {
                var plan = await asked.StageLeaveAsync(new StageLeaveRequest { NodeIds = { valid } }, deadline: Deadline, cancellationToken: cancel);
                await asked.CommitPlanAsync(new CommitPlanRequest { PlanId = plan.PlanId }, deadline: Deadline, cancellationToken: cancel);
            }

            foreach (var exiting in left.Where(member => member.State == MemberState.Exiting))
            {
                await asked.ConfirmExitAsync(new ConfirmExitRequest { NodeId = exiting.Id }, deadline: Deadline, cancellationToken: cancel);
            }

            return left.Count == 0 ? null : $"did not leave: {string.Join(", ", left.Select(member => $"{member.Name} is {member.State}"))}";
        }),
        Patience,
        calm,
        cancel);

    /// <summary>Which member a node is, by its own word; null if it does not say or is none.</summary>
    public async Task<string?> IdOfAsync(ChaosNode node)
    {
        try
        {
            var self = await At(node).GetNodeAsync(new GetNodeRequest(), deadline: Deadline);
            return self.ClusterId.Length > 0 && !self.Removed ? self.Id : null;
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>Gives a dead member's place to the node that runs with an empty volume under its name; ends when all data is there again. What went wrong, or null.</summary>
    public Task<string?> ReplaceAsync(string dead, ChaosNode node, CancellationToken cancel) => Waits.UntilNoneAsync(
        () => TriedAsync(async () =>
        {
            var (asked, cluster) = await AskAsync([node], cancel);
            if (cluster.Members.Any(member => member.Id == dead) || !cluster.Members.Any(member => member.Name == node.Name && member.State == MemberState.Valid))
            {
                var plan = await asked.StageReplaceAsync(new StageReplaceRequest { DeadId = dead, PeerAddress = node.Endpoint(Ports.Peer) }, deadline: Deadline, cancellationToken: cancel);
                await asked.CommitPlanAsync(new CommitPlanRequest { PlanId = plan.PlanId }, deadline: Deadline, cancellationToken: cancel);
                return $"{node.Name} did not take over its old place";
            }

            return cluster.PendingTransfers + cluster.Rebuilding.Count == 0 ? null : $"{cluster.Rebuilding.Count} partitions of {node.Name} are still to be rebuilt";
        }),
        Patience,
        calm,
        cancel);

    /// <summary>The cluster as a node shows it; null if it does not.</summary>
    public async Task<Protos.Admin.V1.Cluster?> ShownByAsync(ChaosNode node)
    {
        try
        {
            return await At(node).GetClusterAsync(new GetClusterRequest(), deadline: Deadline);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    /// <summary>The partitions that a member owns, by its own document; null if it does not say.</summary>
    public async Task<IReadOnlySet<int>?> OwnedByAsync(ChaosNode node) => await ShownByAsync(node) is { } cluster
        ? Enumerable.Range(0, cluster.Owners.Count).Where(partition => cluster.Members[(int)cluster.Owners[partition]].Name == node.Name).ToHashSet()
        : null;

    /// <summary>Waits until a node tells what rotted of a partition, with its file. What it does not meet at its start it meets in repairs that read all data. What went wrong, or null.</summary>
    public async Task<string?> FoundAsync(ChaosNode node, BitRot rot, int partition, Action<string> say)
    {
        var reason = "";
        var repairs = 0;
        var problem = await Waits.UntilNoneAsync(
            () => TriedAsync(async () =>
            {
                var self = await At(node).GetNodeAsync(new GetNodeRequest(), deadline: Deadline);
                if (self.Damaged.FirstOrDefault(one => one.Partition == partition) is { } damage)
                {
                    reason = damage.Reason;
                    return null;
                }

                if (rot.MayBeDeletedUnread && !File.Exists(rot.File))
                {
                    return null;
                }

                var (type, bucket) = Workload.RepairedBuckets[repairs % Workload.RepairedBuckets.Count];
                await At(node).RepairKeysAsync(new RepairKeysRequest { BucketType = type, Bucket = ByteString.CopyFromUtf8(bucket) }, deadline: Deadline);
                repairs++;
                return $"{node.Name} has not found that {rot.File} rotted at {rot.Offset}";
            }),
            Patience,
            calm,
            CancellationToken.None);
        if (problem is not null || reason.Length == 0)
        {
            say(problem ?? $"{rot.File} is gone: it was not needed any more");
            return problem;
        }

        say($"found by {node.Name}: {reason}");
        return reason.Contains(Path.GetFileName(rot.File), StringComparison.Ordinal) && reason.Contains("offset", StringComparison.Ordinal) ? null : $"{rot.File} rotted at {rot.Offset}, and what is told is {reason}";
    }

    /// <summary>Has a damaged partition of a node's rebuilt from the other replicas; ends when all data is there again. What went wrong, or null.</summary>
    public Task<string?> RebuildAsync(ChaosNode node, int partition) => Waits.UntilNoneAsync(
        () => TriedAsync(async () =>
        {
            var self = await At(node).GetNodeAsync(new GetNodeRequest(), deadline: Deadline);
            if (self.Damaged.Any(one => one.Partition == partition))
            {
                await At(node).RebuildPartitionAsync(new RebuildPartitionRequest { Partition = partition }, deadline: Deadline);
                return $"partition {partition} of {node.Name} is damaged";
            }

            var cluster = await At(node).GetClusterAsync(new GetClusterRequest(), deadline: Deadline);
            return cluster.Rebuilding.Contains((uint)partition) ? $"partition {partition} of {node.Name} is still to be rebuilt" : null;
        }),
        Patience,
        calm,
        CancellationToken.None);

    /// <summary>Why the ring is not at rest: members, agreement, transfers, hints. Null when it is.</summary>
    public async Task<string?> UnsettledAsync(IReadOnlyList<ChaosNode> members, CancellationToken cancel) => await TriedAsync(async () =>
    {
        foreach (var node in members)
        {
            var cluster = await At(node).GetClusterAsync(new GetClusterRequest(), deadline: Deadline, cancellationToken: cancel);
            var odd = cluster.Members.Where(member => member.State != MemberState.Valid || !member.Up).Select(member => $"{member.Name} is {member.State}, {(member.Up ? "up" : "down")}").ToList();
            if (cluster.Members.Count != members.Count || odd.Count > 0)
            {
                return $"{node.Name} sees {cluster.Members.Count} members; {string.Join(", ", odd)}";
            }

            if (!cluster.Converged || cluster.PendingTransfers > 0 || cluster.Rebuilding.Count > 0 || cluster.Staged.Count > 0)
            {
                return $"{node.Name}: converged {cluster.Converged}, {cluster.PendingTransfers} partitions to move, {cluster.Rebuilding.Count} to rebuild, {cluster.Staged.Count} staged";
            }

            var transfers = await At(node).GetTransfersAsync(new GetTransfersRequest(), deadline: Deadline, cancellationToken: cancel);
            if (transfers.Transfers_.Count > 0)
            {
                var first = transfers.Transfers_[0];
                return $"{node.Name} has {transfers.Transfers_.Count} transfers to go, the first {first.Kind} {first.Partition} to {first.To}: {first.State} {first.LastError}";
            }

            var self = await At(node).GetNodeAsync(new GetNodeRequest(), deadline: Deadline, cancellationToken: cancel);
            if (self.HeldForOthers > 0)
            {
                return $"{node.Name} holds {self.HeldForOthers} partitions for others";
            }
        }

        return null;
    });

    public void Dispose()
    {
        foreach (var channel in channels.Values)
        {
            channel.Dispose();
        }
    }

    /// <summary>What a step complains about, be it that a node cannot be asked.</summary>
    public static async Task<string?> TriedAsync(Func<Task<string?>> step)
    {
        try
        {
            return await step();
        }
        catch (RpcException failure)
        {
            return failure.Status.Detail;
        }
    }

    private static async Task DoAsync(string what, Func<Task<string?>> step)
    {
        if (await Waits.UntilNoneAsync(() => TriedAsync(step), Patience, CancellationToken.None) is { } problem)
        {
            throw new InvalidOperationException($"{what} did not come about: {problem}");
        }
    }

    private static async Task JoinOnceAsync(Admin.AdminClient asked, IEnumerable<ChaosNode> joining, CancellationToken cancel)
    {
        var plan = await asked.StageJoinAsync(new StageJoinRequest { PeerAddresses = { joining.Select(node => node.Endpoint(Ports.Peer)) } }, deadline: Deadline, cancellationToken: cancel);
        await asked.CommitPlanAsync(new CommitPlanRequest { PlanId = plan.PlanId }, deadline: Deadline, cancellationToken: cancel);
    }

    /// <summary>The first node that answers and is not itself one of those that it is about.</summary>
    private async Task<(Admin.AdminClient Asked, Protos.Admin.V1.Cluster Cluster)> AskAsync(IReadOnlyList<ChaosNode> about, CancellationToken cancel)
    {
        RpcException? last = null;
        foreach (var node in ring.Wanted.Except(about))
        {
            try
            {
                return (At(node), await At(node).GetClusterAsync(new GetClusterRequest(), deadline: DateTime.UtcNow + TimeSpan.FromSeconds(2), cancellationToken: cancel));
            }
            catch (RpcException failure)
            {
                last = failure;
            }
        }

        throw last ?? new RpcException(new Status(StatusCode.Unavailable, "no node to ask"));
    }
}
