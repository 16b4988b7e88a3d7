using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One replica asked one thing, here or at a peer. A replica that says it is not the owner any more has a newer document: the call waits for it and goes
/// to whoever serves the partition now, within the deadline. Throws nothing.
/// </summary>
internal sealed class ReplicaCalls(CoordinatorContext context)
{
    /// <summary>Nobody to read the object from again: a replica that refuses it as stale goes without.</summary>
    public const int NoSource = -1;

    private const int MaxMoves = 3;
    private const int MaxRefreshes = 3;
    private static readonly TimeSpan DocumentPoll = TimeSpan.FromMilliseconds(10);

    public async ValueTask<PeerReply> GetAsync(RequestPlan plan, int replica, bool headOnly)
    {
        var (snapshot, entry) = (plan.Snapshot, plan.Preflist[replica]);
        for (var move = 0; ; move++)
        {
            var reply = entry.Node == snapshot.Self
                ? await context.Gate.GetAsync(entry.Partition, plan.Key, headOnly, snapshot.DocumentVersion)
                : await SendAsync(entry.Node, new PeerRequest.VnodeGet(entry.Partition, plan.Key, headOnly) { DocumentVersion = snapshot.DocumentVersion }, plan.Deadline);
            if (reply is not PeerReply.WrongOwner || move == MaxMoves || await FollowAsync(plan, snapshot, entry, reply) is not { } moved)
            {
                return reply;
            }

            (snapshot, entry) = moved;
        }
    }

    /// <summary>
    /// With <paramref name="standIns"/>, a peer that cannot be reached is replaced by the next stand-in at once, without waiting for the failure detector. Only
    /// for writes whose rules count neither primaries nor nodes. A replica whose fence is newer than the plan's gets what the place <paramref name="source"/> holds now: the
    /// object may have been deleted and reaped since it was planned.
    /// </summary>
    public async ValueTask<PeerReply> PutAsync(
        RequestPlan plan, int replica, ReadOnlyMemory<byte> stored, VnodePutKind kind, Durability durability, StandIns? standIns = null, int source = NoSource)
    {
        var (snapshot, fences, entry) = (plan.Snapshot, plan.Fences, plan.Preflist[replica]);
        HashSet<NodeId>? unreachable = null;
        for (int move = 0, refresh = 0; ;)
        {
            var reply = await SendPutAsync(plan, snapshot, entry, stored, kind, durability, fences.Of(entry.Node));
            if (reply is PeerReply.StaleFence && source != NoSource && refresh++ < MaxRefreshes)
            {
                fences = context.Fences.Known;
                if (await GetAsync(plan, source, headOnly: false) is not PeerReply.Object { Stored: { } present } || !Contains(present, stored))
                {
                    return reply;
                }

                stored = present;
            }
            else if (reply is PeerReply.WrongOwner && move++ < MaxMoves && await FollowAsync(plan, snapshot, entry, reply) is { } moved)
            {
                (snapshot, entry) = moved;
            }
            else if (reply is PeerReply.Unreachable && standIns is not null && move++ < MaxMoves && StandIn(plan, snapshot, entry, unreachable ??= [], standIns) is { } standIn)
            {
                entry = standIn;
            }
            else
            {
                return reply;
            }
        }
    }

    /// <summary>The source may hold the write no more, where it stood in and its copy went home, or the place has another owner by now: what it shows then is not the write.</summary>
    private static bool Contains(ReadOnlyMemory<byte> present, ReadOnlyMemory<byte> written) =>
        ObjectCodec.PeekClock(present.Span) is { } held && ObjectCodec.PeekClock(written.Span) is { } clock && held.Descends(clock);

    private ValueTask<PeerReply> SendPutAsync(
        RequestPlan plan, ClusterSnapshot snapshot, PreflistEntry entry, ReadOnlyMemory<byte> stored, VnodePutKind kind, Durability durability, Fence fence) =>
        entry.Node == snapshot.Self
            ? context.Gate.PutAsync(entry.Partition, plan.Key, stored, kind, durability, snapshot.DocumentVersion, fence)
            : SendAsync(
                entry.Node,
                new PeerRequest.VnodePut(entry.Partition, plan.Key, stored, kind, durability) { DocumentVersion = snapshot.DocumentVersion, Fence = fence },
                plan.Deadline);

    public ValueTask<PeerReply> SendAsync(NodeId to, PeerRequest request, Deadline deadline) =>
        context.Transport.SendAsync(to, request, PeerLane.Request, deadline, CancellationToken.None);

    /// <summary>The snapshot with at least this document version, once this node has it; null where the deadline passes first.</summary>
    public async ValueTask<ClusterSnapshot?> NewerAsync(long version, Deadline deadline)
    {
        while (context.State.Current.DocumentVersion < version)
        {
            if (deadline.HasPassed(context.Time))
            {
                return null;
            }

            await Task.Delay(DocumentPoll, context.Time, CancellationToken.None);
        }

        return context.State.Current;
    }

    private async ValueTask<(ClusterSnapshot Snapshot, PreflistEntry Entry)?> FollowAsync(
        RequestPlan plan, ClusterSnapshot snapshot, PreflistEntry entry, PeerReply reply)
    {
        if (reply.DocumentVersion <= snapshot.DocumentVersion || await NewerAsync(reply.DocumentVersion, plan.Deadline) is not { } newer)
        {
            return null;
        }

        return EntryOf(newer.PreferenceList(plan.First, plan.NVal, plan.Sloppy).AsSpan(), entry.Partition) is { } moved ? (newer, moved) : null;
    }

    /// <summary>One that has the write under no other partition; where there is none any more, whoever would stand in by the ring, which adds no safety.</summary>
    private static PreflistEntry? StandIn(RequestPlan plan, ClusterSnapshot snapshot, PreflistEntry entry, HashSet<NodeId> unreachable, StandIns standIns)
    {
        unreachable.Add(entry.Node);
        var up = new HashSet<NodeId>(snapshot.Up);
        up.ExceptWith(unreachable);
        var ring = snapshot.Document!.Ring;
        for (var step = plan.NVal; step < ring.Size; step++)
        {
            var node = ring.Owners[(plan.First.Number + step) % ring.Size];
            if (up.Contains(node) && !plan.Preflist.Any(other => other.Node == node) && standIns.TryTake(node))
            {
                return new PreflistEntry(entry.Partition, node, IsPrimary: false);
            }
        }

        return EntryOf(PreferenceList.Compute(ring, plan.First, plan.NVal, up, plan.Sloppy), entry.Partition) is { } any && any.Node != entry.Node ? any : null;
    }

    private static PreflistEntry? EntryOf(ReadOnlySpan<PreflistEntry> list, PartitionId partition)
    {
        foreach (var entry in list)
        {
            if (entry.Partition == partition)
            {
                return entry;
            }
        }

        return null;
    }
}
