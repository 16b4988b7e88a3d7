using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.Reaping;

/// <summary>Answers a reaper's three rounds for this node's replicas; the reaper is <see cref="Coordination.Reaper"/>. Throws nothing.</summary>
internal sealed class ReapReceiver(ClusterState state, VnodeHost host)
{
    private static readonly PeerReply OtherDocument = new PeerReply.Refused("the reap was planned by another document");

    /// <summary>Answers <see cref="PeerRequest.Inspect"/>, <see cref="PeerRequest.Seal"/> and <see cref="PeerRequest.Reap"/>.</summary>
    public async ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request) => request switch
    {
        PeerRequest.Inspect inspect => await InspectAsync(from, inspect),
        PeerRequest.Seal seal => Seal(from, seal),
        PeerRequest.Reap reap => await ReapAsync(reap),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Remembers the keys first and looks then: what changes them in between is seen by the look or disturbs the inspection.</summary>
    private async ValueTask<PeerReply> InspectAsync(NodeId from, PeerRequest.Inspect request)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document || document.Version != request.DocumentVersion)
        {
            return OtherDocument;
        }

        var inspections = new Inspection?[request.Keys.Count];
        for (var i = 0; i < inspections.Length; i++)
        {
            inspections[i] = PartitionsOf(snapshot, request.Keys[i].Key) is { } partitions ? new Inspection(request.Keys[i].Key.Encoded, partitions) : null;
        }

        if (!host.Inspections.TryBegin(from, request.Attempt, inspections, document.Version))
        {
            return new PeerReply.Overloaded();
        }

        var looks = new SortedDictionary<PartitionId, List<int>>();
        for (var i = 0; i < inspections.Length; i++)
        {
            foreach (var partition in inspections[i]?.Partitions ?? [])
            {
                PositionsOf(looks, partition).Add(i);
            }
        }

        await Task.WhenAll(looks.Select(look => LookAsync(look.Key, look.Value, request.Keys, inspections, document.Ring.Owner(look.Key) == snapshot.Self)));
        return new PeerReply.DoneEach([.. inspections.Select(inspection => inspection is { IsUndisturbed: true })]);
    }

    /// <summary>The partition's owner must hold the tombstone, any other node nothing.</summary>
    private async Task LookAsync(PartitionId partition, List<int> positions, IReadOnlyList<ReapedKey> keys, Inspection?[] inspections, bool isOwner)
    {
        PeerReply? reply = null;
        if (host.Find(partition) is { } vnode)
        {
            reply = (await vnode.ConfirmAsync([.. positions.Select(i => new HeldKey(inspections[i]!.Key, isOwner ? keys[i].ClockHash : null))])).Reply;
        }
        else if (!isOwner)
        {
            return;
        }

        var answers = (reply as PeerReply.DoneEach)?.Keys;
        for (var i = 0; i < positions.Count; i++)
        {
            if (answers is null || !answers[i])
            {
                inspections[positions[i]]!.Disturb();
            }
        }
    }

    /// <summary>The fence first: a change that comes too late to disturb an inspection is then refused.</summary>
    private PeerReply Seal(NodeId from, PeerRequest.Seal request)
    {
        if (host.Inspections.Find(from, request.Attempt) is not { } batch || batch.Keys.Length != request.Keys.Count)
        {
            return new PeerReply.Refused("the attempt is not known here, or not any more");
        }

        var isSame = batch.DocumentVersion == state.Current.DocumentVersion;
        var chosen = batch.Keys.Select((inspection, i) => isSame && request.Keys[i] && inspection is { IsUndisturbed: true } ? inspection : null).ToArray();
        var partitions = chosen.OfType<Inspection>().SelectMany(inspection => inspection.Partitions).ToHashSet();
        if (partitions.Count > 0)
        {
            host.Fences.Seal(partitions);
        }

        var reply = new PeerReply.DoneEach([.. chosen.Select(inspection => inspection is not null && inspection.TrySeal())]);
        host.Inspections.Forget(from, request.Attempt);
        return reply;
    }

    private async ValueTask<PeerReply> ReapAsync(PeerRequest.Reap request)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document || document.Version != request.DocumentVersion)
        {
            return OtherDocument;
        }

        var removals = new SortedDictionary<PartitionId, List<int>>();
        for (var i = 0; i < request.Keys.Count; i++)
        {
            foreach (var partition in PartitionsOf(snapshot, request.Keys[i].Key) ?? [])
            {
                if (document.Ring.Owner(partition) == snapshot.Self)
                {
                    PositionsOf(removals, partition).Add(i);
                }
            }
        }

        var done = Enumerable.Repeat(true, request.Keys.Count).ToArray();
        await Task.WhenAll(removals.Select(removal => RemoveAsync(removal.Key, removal.Value, request.Keys, done)));
        return new PeerReply.DoneEach(done);
    }

    private async Task RemoveAsync(PartitionId partition, List<int> positions, IReadOnlyList<ReapedKey> keys, bool[] done)
    {
        var reply = host.Find(partition) is { } vnode
            ? (await vnode.ReapAsync([.. positions.Select(i => new HeldKey(keys[i].Key.Encoded, keys[i].ClockHash))])).Reply
            : null;
        var answers = (reply as PeerReply.DoneEach)?.Keys;
        for (var i = 0; i < positions.Count; i++)
        {
            if (answers is null || !answers[i])
            {
                done[positions[i]] = false;
            }
        }
    }

    private static List<int> PositionsOf(SortedDictionary<PartitionId, List<int>> byPartition, PartitionId partition)
    {
        if (!byPartition.TryGetValue(partition, out var positions))
        {
            byPartition.Add(partition, positions = []);
        }

        return positions;
    }

    /// <summary>The partitions of the key's primaries; null where one of them is to move, or the bucket is not known.</summary>
    private static PartitionId[]? PartitionsOf(ClusterSnapshot snapshot, ObjectKey key)
    {
        if (snapshot.Document is not { Ring: var ring } document || document.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { } props)
        {
            return null;
        }

        var first = RingHash.FirstPartition(key, props.ChashKeyFun, ring.Size).Number;
        var partitions = Enumerable.Range(first, Math.Min(props.NVal, ring.Size)).Select(number => new PartitionId(number % ring.Size)).ToArray();
        return Array.Exists(partitions, partition => VnodeGate.IsMoving(snapshot, partition)) ? null : partitions;
    }
}
