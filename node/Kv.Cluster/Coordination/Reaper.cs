using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// Removes tombstones for good, when that is safe (reference 2.5; stricter than Riak): after the bucket's delay, all primaries are up and hold exactly this
/// tombstone, no member is away that could hold an older value as a stand-in, none of the others does hold one, and no transfer of the key's partitions is
/// pending. Anything else leaves the tombstone for a later read. Bounded; a key waits at most once.
/// </summary>
internal sealed class Reaper(CoordinatorContext context, ReplicaCalls calls)
{
    private const int MaxRounds = 3;
    private static readonly TimeSpan RoundPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(60);

    // Guards waiting.
    private readonly Lock gate = new();
    private readonly HashSet<ObjectKey> waiting = [];

    /// <summary>Begins after the delay of the bucket's delete_mode; forgets it where there is too much to do.</summary>
    public void Schedule(ObjectKey key)
    {
        lock (gate)
        {
            if (waiting.Count >= context.Options.MaxConcurrentRepairs || !waiting.Add(key))
            {
                return;
            }
        }

        _ = RunAsync(key);
    }

    private async Task RunAsync(ObjectKey key)
    {
        try
        {
            var props = context.State.Current.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket));
            if (props is null || props.DeleteMode.Keeps)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(props.DeleteMode.DelayMilliseconds), context.Time, CancellationToken.None);
            for (var round = 0; round < MaxRounds && await TryReapAsync(key); round++)
            {
                await Task.Delay(RoundPause, context.Time, CancellationToken.None);
            }
        }
        finally
        {
            lock (gate)
            {
                waiting.Remove(key);
            }
        }
    }

    /// <summary>True to try again: replicas had to be repaired first.</summary>
    private async Task<bool> TryReapAsync(ObjectKey key)
    {
        var snapshot = context.State.Current;
        if (snapshot.Document is not { } document || document.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { } props)
        {
            return false;
        }

        var deadline = Deadline.After(context.Time, ReadTimeout);
        var plan = RequestPlan.Create(snapshot, key, props, props.NVal, sloppy: false, deadline);
        if (plan is null || !IsQuiet(plan))
        {
            return false;
        }

        var request = new KvRequest.Get { Key = key, R = QuorumValue.All, SloppyQuorum = false, HeadOnly = true };
        var rules = GetQuorumRules.Resolve(props, new GetQuorumOptions { R = QuorumValue.All }, out _);
        if (rules is null || rules.Check(plan.Preflist) is not null)
        {
            return false;
        }

        var finished = new TaskCompletionSource<ReadRepairPlan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await new GetCoordinator(context, calls, plan, request, rules, finished).RunAsync();
        if (await finished.Task is not { Merged: { IsTombstone: true } tombstone } repair)
        {
            return false;
        }

        if (!repair.MayReap)
        {
            return !repair.Repairs.IsEmpty;
        }

        if (await AnyStandInHoldsAsync(plan) || !IsQuiet(plan) || context.State.Current.DocumentVersion != snapshot.DocumentVersion)
        {
            return false;
        }

        await ReapAsync(plan, tombstone.Clock.StableHash());
        return false;
    }

    /// <summary>No member that may hold data is away, all primaries are among them, and nothing of the key's is on its way elsewhere.</summary>
    private bool IsQuiet(RequestPlan plan)
    {
        var now = context.State.Current;
        foreach (var member in plan.Document.Members)
        {
            if (member.State != MemberState.Joining && !now.IsUp(member.Id))
            {
                return false;
            }
        }

        foreach (var entry in plan.Preflist)
        {
            if (!entry.IsPrimary || VnodeGate.IsMoving(now, entry.Partition))
            {
                return false;
            }
        }

        return plan.Preflist.Length == plan.NVal;
    }

    /// <summary>Whether a node that does not own one of the key's partitions holds something under it, which would come back after the reap; or cannot say.</summary>
    private async ValueTask<bool> AnyStandInHoldsAsync(RequestPlan plan)
    {
        foreach (var member in plan.Document.Members)
        {
            foreach (var entry in plan.Preflist)
            {
                if (entry.Node == member.Id || member.State == MemberState.Joining)
                {
                    continue;
                }

                if (await AskStandInAsync(plan, member.Id, entry.Partition) is not PeerReply.Object { Stored: null })
                {
                    return true;
                }
            }
        }

        return false;
    }

    private ValueTask<PeerReply> AskStandInAsync(RequestPlan plan, NodeId node, PartitionId partition)
    {
        var version = plan.Snapshot.DocumentVersion;
        return node == plan.Self
            ? context.Gate.GetAsync(partition, plan.Key, headOnly: true, version)
            : calls.SendAsync(node, new PeerRequest.VnodeGet(partition, plan.Key, HeadOnly: true) { DocumentVersion = version }, plan.Deadline);
    }

    private async ValueTask ReapAsync(RequestPlan plan, ulong clockHash)
    {
        var version = plan.Snapshot.DocumentVersion;
        foreach (var entry in plan.Preflist)
        {
            if (entry.Node == plan.Self)
            {
                await context.Gate.ReapAsync(entry.Partition, plan.Key, clockHash, version);
            }
            else
            {
                var request = new PeerRequest.VnodeReap(entry.Partition, plan.Key, clockHash) { DocumentVersion = version };
                await calls.SendAsync(entry.Node, request, plan.Deadline);
            }
        }
    }
}
