using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>Mistakes of the protocols between nodes: in what they send and answer.</summary>
internal static class BentMessages
{
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    /// <summary>An acceptor votes for a lower ballot than it promised.</summary>
    public static async ValueTask<PeerReply> AcceptAnything(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        await next(request) is var reply && request is PeerRequest.Accept && reply is PeerReply.Rejected ? As(new PeerReply.Accepted(), reply) : reply;

    /// <summary>Who carries a commit out takes what is staged now for what was looked at.</summary>
    public static ValueTask<PeerReply> CommitAnything(SimNode node, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        next(request is PeerRequest.Propose { Change: DocumentChange.CommitPlan } commit && node.Document is { } document && ClusterPlan.Compute(document) is { } plan
            ? commit with { Change = new DocumentChange.CommitPlan(plan.Id) }
            : request);

    /// <summary>A vnode's page of an index counts as its last one.</summary>
    public static async ValueTask<PeerReply> TakeFirstPageForAll(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        await next(request) is var reply && reply is PeerReply.ScanPage page ? page with { Next = null } : reply;

    /// <summary>A proposer tells its document to each voter as if it were decided.</summary>
    public static ValueTask<PeerReply> TellBeforeDecided(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next)
    {
        if (request is PeerRequest.Accept accept)
        {
            _ = next(new PeerRequest.LearnDocument(accept.Document) { DocumentVersion = accept.DocumentVersion }).AsTask();
        }

        return next(request);
    }

    /// <summary>A reaper waits for nobody's answer.</summary>
    public static ValueTask<PeerReply> TakeSilenceForConsent(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next)
    {
        var keys = request switch
        {
            PeerRequest.Inspect inspect => inspect.Keys.Count,
            PeerRequest.Seal seal => seal.Keys.Count,
            _ => 0,
        };
        if (keys == 0)
        {
            return next(request);
        }

        _ = next(request).AsTask();
        return new(new PeerReply.DoneEach([.. Enumerable.Repeat(true, keys)]) { DocumentVersion = request.DocumentVersion });
    }

    /// <summary>The tombstone that the message brings to a replica, for a reap; null for any other message.</summary>
    public static ReapedKey? TombstoneOf(PeerRequest request) =>
        request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate } put && ObjectCodec.TryDecode(put.Object, out var held, out _) && held.IsTombstone
            ? new ReapedKey(put.Key, held.Clock.StableHash())
            : null;

    /// <summary>A replica's write is not sent, and counts.</summary>
    public static ValueTask<PeerReply> SendNoReplica(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate } ? new(new PeerReply.Done { DocumentVersion = request.DocumentVersion }) : next(request);

    /// <summary>A replica confirms a write that it puts off.</summary>
    public static ValueTask<PeerReply> ConfirmEarly(SimContext context, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next)
    {
        if (request is not PeerRequest.VnodePut { Kind: VnodePutKind.Replicate })
        {
            return next(request);
        }

        context.After(Late, () => _ = next(request).AsTask());
        return new(new PeerReply.Done { DocumentVersion = request.DocumentVersion });
    }

    /// <summary>An owner takes every member for one that has sent all that it has.</summary>
    public static ValueTask<PeerReply> TakeAllForSent(PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        request is PeerRequest.Rebuild ? new(new PeerReply.Done { DocumentVersion = request.DocumentVersion }) : next(request);

    /// <summary>Who sends what an owner rebuilds leaves one object out.</summary>
    public static ValueTask<PeerReply> SendAllButOne(SimNode node, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next) =>
        next(request is PeerRequest.HandoffBatch { Entries.Count: > 0 } batch && node.Document?.Ring.IsRebuilding(batch.Partition) == true
            ? batch with { Entries = [.. batch.Entries.Skip(1)] }
            : request);

    private static PeerReply As(PeerReply reply, PeerReply real) => reply with { DocumentVersion = real.DocumentVersion, Fence = real.Fence };
}
