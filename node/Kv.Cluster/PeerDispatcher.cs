using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Coordination;
using Kv.Cluster.Handoff;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster;

/// <summary>Takes each message from a peer to the part that answers it, and puts this node's document version and fence on the answer.</summary>
internal sealed class PeerDispatcher(
    ClusterState state,
    DocumentStore documents,
    DocumentVoter voter,
    DocumentAgreement agreement,
    Gossip gossip,
    HandoffReceiver handoff,
    RebuildSource sources,
    TreeResponder trees,
    DataRequests data,
    ClusterAdmin admin,
    Fences fences,
    TimeProvider time) : IPeerHandler
{
    private volatile bool isServing;

    /// <summary>False before the node is started and once it stops: then everything is refused.</summary>
    public bool IsServing
    {
        get => isServing;
        set => isServing = value;
    }

    // hot
    public async ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        if (!isServing)
        {
            return new PeerReply.Refused("not_ready: the node is starting or stopping");
        }

        if (request.DocumentVersion > 0)
        {
            gossip.Saw(from, request.DocumentVersion);
        }

        PeerReply reply;
        try
        {
            reply = await AnswerAsync(from, request, deadline, cancel);
        }
        catch (Exception failure) when (failure is StoreException or OperationCanceledException)
        {
            reply = new PeerReply.Refused(failure.Message);
        }

        var (version, fence) = (state.Current.DocumentVersion, fences.Own);
        return reply.DocumentVersion == version && reply.Fence == fence ? reply : reply with { DocumentVersion = version, Fence = fence };
    }

    private async ValueTask<PeerReply> AnswerAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel) => request switch
    {
        PeerRequest.VnodePut or PeerRequest.HandoffBatch when IsStranger(from, request.DocumentVersion) => new PeerReply.Refused("not_member: it takes data from members only"),
        PeerRequest.Heartbeat or PeerRequest.KnowsSecurity or PeerRequest.KnowsOrdered or PeerRequest.KnowsMemory or PeerRequest.KnowsExpiry or PeerRequest.KnowsHooks => new PeerReply.Done(),
        PeerRequest.GetDocument => new PeerReply.Document(state.Current.DocumentVersion > request.DocumentVersion ? state.Current.Document : null),
        PeerRequest.LearnDocument learn => await LearnAsync(learn, cancel),
        PeerRequest.Prepare prepare => AcceptorReplies.ToPeer(await voter.PrepareAsync(prepare.ClusterId, prepare.Version, prepare.Ballot)),
        PeerRequest.Accept accept => AcceptorReplies.ToPeer(await voter.AcceptAsync(accept.ClusterId, accept.Version, accept.Ballot, accept.Document)),
        PeerRequest.Propose propose => await ProposeAsync(propose, cancel),
        PeerRequest.Identify => Identify(),
        PeerRequest.GetHoldings => admin.GetHoldings(),
        PeerRequest.GetVolume => admin.GetVolume(),
        PeerRequest.GetTime => new PeerReply.Time(Expiry.Microseconds(time.GetUtcNow())),
        PeerRequest.GetUp => new PeerReply.Up([.. state.Current.Up.Order()]),
        PeerRequest.Rebuild ask => sources.Handle(from, ask),
        PeerRequest.HandoffBatch batch => await handoff.HandleAsync(batch, cancel),
        PeerRequest.TreeRoot or PeerRequest.TreeBranches or PeerRequest.TreeSegments or PeerRequest.TreeEntries
            or PeerRequest.TreeLeaves or PeerRequest.TreeLeafEntries or PeerRequest.TreeRelease => await trees.HandleAsync(from, request),
        _ => await data.HandleAsync(from, request, deadline, cancel) ?? new PeerReply.Refused($"no answer to {request.GetType().Name}"),
    };

    /// <summary>A node that was removed may have missed deletes that are reaped by now. One with a newer document may have joined by it.</summary>
    private bool IsStranger(NodeId from, long senderVersion) =>
        state.Current.Document is { } document && senderVersion <= document.Version && document.FindMember(from) is null;

    private async ValueTask<PeerReply> LearnAsync(PeerRequest.LearnDocument learn, CancellationToken cancel) =>
        await documents.LearnAsync(learn.Document, cancel) switch
        {
            LearnResult.Learned or LearnResult.AlreadyKnown or LearnResult.Removed or LearnResult.TakenBack => new PeerReply.Done(),
            var refused => new PeerReply.Refused($"the document was not taken: {refused}"),
        };

    private async ValueTask<PeerReply> ProposeAsync(PeerRequest.Propose propose, CancellationToken cancel)
    {
        var result = await agreement.ProposeAsync(propose.Change, cancel);
        return result is null ? new PeerReply.Refused("unavailable: no majority of the members answered") : new PeerReply.Proposed(result);
    }

    private PeerReply.Identity Identify()
    {
        var view = admin.GetNode();
        return new PeerReply.Identity(view.Node, view.ClusterId);
    }
}
