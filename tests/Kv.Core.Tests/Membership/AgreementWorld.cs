using Kv.Core.Membership;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Membership.DocumentSamples;

namespace Kv.Core.Tests.Membership;

/// <summary>
/// Nodes with acceptors on disks, proposers in memory and a bag of messages, driven by numbers: each number delivers, loses or repeats a message, crashes a node, or
/// has one propose a change. Checks at each decision that its version was not decided otherwise.
/// </summary>
internal sealed class AgreementWorld
{
    private const int MaxNodes = 7;

    private readonly int _loss;
    private readonly List<Message> _flying = [];
    private readonly Node[] _nodes = [.. Enumerable.Range(0, MaxNodes + 1).Select(i => new Node(Id(i)))];
    private int _changes;

    public AgreementWorld(int nodes, int loss)
    {
        _loss = loss;
        var first = Cluster(nodes);
        for (var number = 1; number <= nodes; number++)
        {
            _nodes[number].Held = first;
        }
    }

    public SortedDictionary<long, byte[]> Decided { get; } = [];

    public void Step(uint choice)
    {
        var (kind, rest) = ((int)(choice % 100), choice / 100);
        if (kind < 6 || _flying.Count == 0)
        {
            Propose(_nodes[1 + (int)(rest % MaxNodes)], (int)(rest / MaxNodes % 1000));
        }
        else if (kind < 8)
        {
            // A crash: what was in memory is gone, the acceptor's state and the document are on disk.
            _nodes[1 + (int)(rest % MaxNodes)].Proposer = null;
        }
        else
        {
            Deliver((int)(rest % _flying.Count), kind);
        }
    }

    private void Propose(Node node, int choice)
    {
        if (node.Held is not { } held || held.FindMember(node.Id) is not { HasVote: true })
        {
            return;
        }

        var change = Resolve(held, Draw(choice));
        if (DocumentRules.Apply(held, change) is DocumentChangeResult.Changed changed)
        {
            // A node that crashed may draw a ballot it used before: half the time this one forgets what it met.
            node.Highest = DocumentProposer.NextBallot(choice % 2 == 0 ? node.Highest : Ballot.Zero, node.Id);
            node.Proposer = new DocumentProposer(held, changed.Document, node.Highest);
            Do(node, node.Proposer, node.Proposer.Start());
        }
    }

    private DocumentChange Draw(int choice)
    {
        var number = 1 + (choice / 8 % MaxNodes);
        return (choice % 8) switch
        {
            0 => new DocumentChange.StageJoin(DocumentSamples.Node(number)),
            1 => new DocumentChange.StageLeave(Id(number)),
            2 or 3 => new DocumentChange.CommitPlan(CurrentPlan),
            4 => new DocumentChange.CompleteTransfers(default),
            _ => new DocumentChange.SetEndpoints(Id(number), DocumentSamples.Node(++_changes).Endpoints),
        };
    }

    private void Deliver(int index, int kind)
    {
        var message = _flying[index];
        if (kind < 90)
        {
            _flying.RemoveAt(index);
        }

        if (kind % 10 < _loss)
        {
            return;
        }

        var node = _nodes[(int)message.To.Value];
        switch (message)
        {
            case Prepare prepare:
                Vote(node, message.From, prepare.Proposer, DocumentAcceptor.Prepare(node.Acceptor, node.Held, ClusterId, prepare.Proposer.Version, prepare.Ballot), 1);
                break;
            case Accept accept:
                Vote(node, message.From, accept.Proposer, DocumentAcceptor.Accept(node.Acceptor, node.Held, ClusterId, accept.Document.Version, accept.Ballot, accept.Document), 2);
                break;
            case Learn learn:
                LearnAt(node, learn.Document);
                break;
            case Reply reply when ReferenceEquals(node.Proposer, reply.Proposer):
                Do(node, reply.Proposer, reply.Phase == 1 ? reply.Proposer.OnPrepareReply(reply.From, reply.What) : reply.Proposer.OnAcceptReply(reply.From, reply.What));
                break;
        }
    }

    private void Vote(Node node, NodeId asker, DocumentProposer proposer, AcceptorStep step, int phase)
    {
        if (step.MustPersist)
        {
            // Through its bytes, as a restart would read it.
            node.Acceptor = AcceptorStateCodec.Decode(AcceptorStateCodec.Encode(step.State));
        }

        _flying.Add(new Reply(node.Id, asker, proposer, phase, step.Reply));
    }

    private void Do(Node node, DocumentProposer proposer, ProposerStep step)
    {
        switch (step)
        {
            case ProposerStep.SendPrepare prepare:
                _flying.AddRange(proposer.Voters.Select(v => (Message)new Prepare(node.Id, v, proposer, prepare.Ballot)));
                break;
            case ProposerStep.SendAccept accept:
                _flying.AddRange(proposer.Voters.Select(v => new Accept(node.Id, v, proposer, accept.Ballot, accept.Document)));
                break;
            case ProposerStep.Decided decided:
                Check(decided.Document);
                LearnAt(node, decided.Document);
                _flying.AddRange(decided.Document.Members.Select(m => new Learn(node.Id, m.Id, decided.Document)));
                node.Proposer = null;
                break;
            case ProposerStep.Behind behind:
                LearnAt(node, behind.Document);
                node.Proposer = null;
                break;
            case ProposerStep.Outbid outbid:
                node.Highest = outbid.Highest;
                node.Proposer = null;
                break;
            case ProposerStep.Teach teach:
                _flying.Add(new Learn(node.Id, teach.Node, node.Held!));
                break;
        }
    }

    private void Check(ClusterDocument document)
    {
        var bytes = ClusterDocumentCodec.Encode(document);
        if (!Decided.TryAdd(document.Version, bytes))
        {
            Assert.Equal(Decided[document.Version], bytes);
        }
    }

    private static void LearnAt(Node node, ClusterDocument document)
    {
        if (node.Held is null || document.Version > node.Held.Version)
        {
            node.Held = document;
        }
    }

    private abstract record Message(NodeId From, NodeId To);

    private sealed record Prepare(NodeId From, NodeId To, DocumentProposer Proposer, Ballot Ballot) : Message(From, To);

    private sealed record Accept(NodeId From, NodeId To, DocumentProposer Proposer, Ballot Ballot, ClusterDocument Document) : Message(From, To);

    private sealed record Reply(NodeId From, NodeId To, DocumentProposer Proposer, int Phase, AcceptorReply What) : Message(From, To);

    private sealed record Learn(NodeId From, NodeId To, ClusterDocument Document) : Message(From, To);

    private sealed class Node(NodeId id)
    {
        public NodeId Id { get; } = id;

        public ClusterDocument? Held { get; set; }

        public AcceptorState Acceptor { get; set; } = AcceptorState.Fresh;

        public DocumentProposer? Proposer { get; set; }

        public Ballot Highest { get; set; }
    }
}
