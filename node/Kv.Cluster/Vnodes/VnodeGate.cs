using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// The way to this node's replicas, for its own coordinators and for peers alike: checks that the sender and this node agree on who serves the
/// partition, finds or opens the vnode, and asks it. Throws nothing.
/// </summary>
public sealed class VnodeGate(ClusterState state, VnodeHost host)
{
    /// <summary>What data is taken under, here and elsewhere.</summary>
    internal Fences Fences => host.Fences;

    /// <summary>Partitions that this node answers nothing for, since their data here is damaged or gone.</summary>
    internal IReadOnlyDictionary<PartitionId, string> Damaged => host.Damaged;

    /// <summary>Where reapers are answered, this node's own and others'.</summary>
    internal ReapReceiver Reaps { get; } = new(state, host);

    /// <summary>
    /// Answers <see cref="PeerRequest.VnodeGet"/>, <see cref="PeerRequest.VnodePut"/>, <see cref="PeerRequest.VnodeList"/> and <see cref="PeerRequest.VnodeScan"/>; null for a request of
    /// another kind.
    /// </summary>
    public async ValueTask<PeerReply?> HandleAsync(PeerRequest request, CancellationToken cancel)
    {
        return request switch
        {
            PeerRequest.VnodeGet get => await GetAsync(get.Partition, get.Key, get.HeadOnly, get.DocumentVersion),
            PeerRequest.VnodePut put => await PutAsync(put.Partition, put.Key, put.Object, put.Kind, put.Durability, put.DocumentVersion, put.Fence),
            PeerRequest.VnodeList list => await ListAsync(list, cancel),
            PeerRequest.VnodeScan scan => await ScanAsync(scan, cancel),
            _ => null,
        };
    }

    internal async ValueTask<PeerReply> GetAsync(PartitionId partition, ObjectKey key, bool headOnly, long senderVersion)
    {
        var snapshot = state.Current;
        if (IsMisplaced(snapshot, partition, senderVersion))
        {
            return new PeerReply.WrongOwner { DocumentVersion = snapshot.DocumentVersion };
        }

        // A stand-in that was never written to has nothing to show, and need not open a store to say so.
        if (host.Find(partition) is null && !Owns(snapshot, partition))
        {
            return VnodeReply.Missing.Reply;
        }

        return (await AskAsync(partition, vnode => vnode.GetAsync(key.Encoded, headOnly))).Reply;
    }

    internal async ValueTask<PeerReply> PutAsync(
        PartitionId partition, ObjectKey key, ReadOnlyMemory<byte> stored, VnodePutKind kind, Durability durability, long senderVersion, Fence fence)
    {
        var snapshot = state.Current;
        if ((kind != VnodePutKind.Handoff && IsMisplaced(snapshot, partition, senderVersion)) || snapshot.IsTypeAwaited(key.BucketType, senderVersion))
        {
            return new PeerReply.WrongOwner { DocumentVersion = snapshot.DocumentVersion };
        }

        // The vnode decides; but for what it will refuse no store is opened.
        if (host.Find(partition) is null && !host.Fences.Admits(partition, fence))
        {
            return VnodeReply.StaleFence.Reply;
        }

        var props = PropsOf(snapshot, key);
        return (await AskAsync(partition, vnode => vnode.MergeAsync(key.Encoded, stored, fence, durability, props, isPassedOn: kind == VnodePutKind.Handoff))).Reply;
    }

    internal async ValueTask<VnodeReply> CoordinateAsync(
        PartitionId partition, ObjectKey key, KvRequest.Put put, BucketProps props, long senderVersion, ICoordinatedWrite observer)
    {
        var snapshot = state.Current;
        if (IsMisplaced(snapshot, partition, senderVersion))
        {
            return new VnodeReply(new PeerReply.WrongOwner { DocumentVersion = snapshot.DocumentVersion });
        }

        return await AskAsync(partition, vnode => vnode.CoordinateAsync(key.Encoded, put.Content, put.Context, props, observer, put.Update, put.IsExpiry));
    }

    internal ValueTask<PeerReply> ListAsync(PeerRequest.VnodeList request, CancellationToken cancel) =>
        AskOwnerAsync(request.Partition, request.DocumentVersion, vnode => vnode.ListAsync(request, cancel), cancel);

    internal ValueTask<PeerReply> ScanAsync(PeerRequest.VnodeScan request, CancellationToken cancel) =>
        AskOwnerAsync(request.Partition, request.DocumentVersion, vnode => vnode.ScanAsync(request, cancel), cancel);

    /// <summary>Asks a vnode that this node owns, which alone holds all of its partition.</summary>
    private async ValueTask<PeerReply> AskOwnerAsync(PartitionId partition, long senderVersion, Func<Vnode, ValueTask<PeerReply>> ask, CancellationToken cancel)
    {
        var snapshot = state.Current;
        if (IsMisplaced(snapshot, partition, senderVersion) || !Owns(snapshot, partition))
        {
            return new PeerReply.WrongOwner { DocumentVersion = snapshot.DocumentVersion };
        }

        try
        {
            return await ask(await host.OpenAsync(partition, cancel));
        }
        catch (Exception exception) when (exception is StoreException or StoreRefusedException or InvalidOperationException)
        {
            return new PeerReply.Refused(exception.Message);
        }
    }

    /// <summary>Whether the partition is to get another owner, or some owner has not all data of one yet: what it is still to be sent may be older than a tombstone.</summary>
    internal static bool IsMoving(ClusterSnapshot snapshot, PartitionId partition) =>
        snapshot.Document is { Ring: var ring } && (!ring.Rebuilding.IsEmpty || ring.Owner(partition) != ring.NextOwner(partition));

    /// <summary>
    /// A sender with an older document may take this node for the owner that it was. One with the same or a newer document that asks this node for a
    /// partition of another's means it to stand in, whatever this node thinks of who is up.
    /// </summary>
    private static bool IsMisplaced(ClusterSnapshot snapshot, PartitionId partition, long senderVersion) =>
        snapshot.Document is null || (senderVersion < snapshot.DocumentVersion && !Owns(snapshot, partition)) || partition.Number >= snapshot.Document.Ring.Size;

    private static bool Owns(ClusterSnapshot snapshot, PartitionId partition) =>
        snapshot.Document is { } document && partition.Number < document.Ring.Size && document.Ring.Owner(partition) == snapshot.Self;

    private static BucketProps PropsOf(ClusterSnapshot snapshot, ObjectKey key) =>
        snapshot.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) ?? BucketProps.NewType;

    /// <summary>A vnode that was dropped meanwhile is opened anew, once: the write then waits there for its owner like any other.</summary>
    private async ValueTask<VnodeReply> AskAsync(PartitionId partition, Func<Vnode, ValueTask<VnodeReply>> ask)
    {
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var vnode = host.Find(partition) ?? await host.OpenAsync(partition, CancellationToken.None);
                var reply = await ask(vnode);
                if (reply != VnodeReply.Closed || attempt == 1)
                {
                    return reply;
                }

                await host.WhenForgottenAsync(vnode);
            }
        }
        catch (StoreDamagedException)
        {
            return VnodeReply.Damaged;
        }
        catch (StoreException)
        {
            return VnodeReply.StorageFailed;
        }
        catch (StoreRefusedException)
        {
            return VnodeReply.Overloaded;
        }
        catch (InvalidOperationException)
        {
            return VnodeReply.Closed;
        }
    }
}
