using System.Threading.Channels;
using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;

namespace Kv.Cluster.Membership;

/// <summary>One attempt to have a version decided: the shell of <see cref="DocumentProposer"/> that sends what it says and feeds it what comes back.</summary>
internal sealed class DocumentRound(
    ClusterOptions options,
    NodeId self,
    ClusterDocument current,
    DocumentProposer proposer,
    DocumentVoter voter,
    IPeerTransport transport,
    TimeProvider time,
    BackgroundTasks background)
{
    private readonly Channel<Reply> replies = Channel.CreateUnbounded<Reply>(new UnboundedChannelOptions { SingleReader = true });

    private readonly record struct Reply(NodeId From, bool IsOfAccept, AcceptorReply? Answer);

    /// <summary>One of the proposer's final steps. Each message has a deadline, so it ends.</summary>
    public async ValueTask<ProposerStep> RunAsync(CancellationToken cancel)
    {
        var step = proposer.Start();
        PeerRequest? asked = null;
        while (true)
        {
            switch (step)
            {
                case ProposerStep.SendPrepare prepare:
                    AskAll(asked = new PeerRequest.Prepare(current.ClusterId, prepare.Version, prepare.Ballot), cancel);
                    break;
                case ProposerStep.SendAccept accept:
                    AskAll(asked = new PeerRequest.Accept(current.ClusterId, accept.Version, accept.Ballot, accept.Document), cancel);
                    break;
                case ProposerStep.Teach teach:
                    background.Start(token => TeachAndAskAsync(teach.Node, asked!, token), cancel);
                    break;
                case ProposerStep.Wait:
                    break;
                default:
                    return step;
            }

            var reply = await replies.Reader.ReadAsync(cancel);
            step = reply.IsOfAccept ? proposer.OnAcceptReply(reply.From, reply.Answer) : proposer.OnPrepareReply(reply.From, reply.Answer);
        }
    }

    private void AskAll(PeerRequest request, CancellationToken cancel)
    {
        foreach (var node in proposer.Voters)
        {
            background.Start(token => AskAsync(node, request, token), cancel);
        }
    }

    private async Task TeachAndAskAsync(NodeId node, PeerRequest request, CancellationToken cancel)
    {
        await transport.SendAsync(node, new PeerRequest.LearnDocument(current), PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel);
        await AskAsync(node, request, cancel);
    }

    private async Task AskAsync(NodeId node, PeerRequest request, CancellationToken cancel)
    {
        AcceptorReply? answer = null;
        try
        {
            answer = node == self ? await AskSelfAsync(request) : await AskPeerAsync(node, request, cancel);
        }
        finally
        {
            replies.Writer.TryWrite(new Reply(node, request is PeerRequest.Accept, answer));
        }
    }

    private async ValueTask<AcceptorReply?> AskSelfAsync(PeerRequest request)
    {
        var reply = request switch
        {
            PeerRequest.Accept accept => await voter.AcceptAsync(accept.ClusterId, accept.Version, accept.Ballot, accept.Document),
            PeerRequest.Prepare prepare => await voter.PrepareAsync(prepare.ClusterId, prepare.Version, prepare.Ballot),
            _ => throw new ArgumentException($"{request.GetType().Name} is not for an acceptor", nameof(request)),
        };

        // There is nobody to teach: a node that lost its votes has none.
        return reply is AcceptorReply.Behind ? null : reply;
    }

    private async ValueTask<AcceptorReply?> AskPeerAsync(NodeId node, PeerRequest request, CancellationToken cancel)
    {
        var reply = await transport.SendAsync(node, request, PeerLane.Request, Deadline.After(time, options.PeerDownAfter), cancel);
        return AcceptorReplies.FromPeer(reply);
    }
}
