using CsCheck;
using Kv.Core.Membership;
using Xunit;
using static Kv.Core.Tests.Membership.DocumentSamples;

namespace Kv.Core.Tests.Membership;

/// <summary>
/// Agreement under a network that loses, repeats and reorders, nodes that crash and come back with what they persisted, and several nodes
/// proposing at once while members come and go: never two documents for one version.
/// </summary>
public sealed class DocumentAgreementTests
{
    [Fact]
    public void Accept_OfALowerBallotThanPromised_IsRejected()
    {
        var held = Cluster(3);
        var next = Next(held, 7);
        var promised = DocumentAcceptor.Prepare(AcceptorState.Fresh, held, ClusterId, next.Version, new Ballot(5, Id(2)));
        Assert.True(promised.MustPersist);
        var rejected = DocumentAcceptor.Accept(promised.State, held, ClusterId, next.Version, new Ballot(5, Id(1)), next);
        Assert.Equal(new AcceptorReply.Rejected(new Ballot(5, Id(2))), rejected.Reply);
        Assert.False(rejected.MustPersist);
    }

    [Fact]
    public void Prepare_AfterAnAccept_TellsWhatWasAccepted()
    {
        var held = Cluster(3);
        var next = Next(held, 7);
        var ballot = new Ballot(1, Id(1));
        var accepted = DocumentAcceptor.Accept(AcceptorState.Fresh, held, ClusterId, next.Version, ballot, next);
        Assert.True(accepted.MustPersist);
        Assert.False(DocumentAcceptor.Accept(accepted.State, held, ClusterId, next.Version, ballot, next).MustPersist);
        var promised = DocumentAcceptor.Prepare(accepted.State, held, ClusterId, next.Version, new Ballot(2, Id(2)));
        Assert.Equal(new AcceptorReply.Promised(ballot, next), promised.Reply);
        Assert.IsType<AcceptorReply.Rejected>(DocumentAcceptor.Prepare(promised.State, held, ClusterId, next.Version, new Ballot(2, Id(2))).Reply);
    }

    [Fact]
    public void Acceptor_VotesOnlyOnTheVersionAfterItsOwn()
    {
        var held = Cluster(3);
        var ballot = new Ballot(1, Id(1));
        Assert.Equal(new AcceptorReply.AlreadyDecided(held), DocumentAcceptor.Prepare(AcceptorState.Fresh, held, ClusterId, held.Version, ballot).Reply);
        Assert.Equal(new AcceptorReply.Behind(held.Version), DocumentAcceptor.Prepare(AcceptorState.Fresh, held, ClusterId, held.Version + 2, ballot).Reply);
        Assert.Equal(new AcceptorReply.Behind(0), DocumentAcceptor.Prepare(AcceptorState.Fresh, null, ClusterId, 1, ballot).Reply);
        Assert.Equal(new AcceptorReply.OtherCluster(ClusterId), DocumentAcceptor.Prepare(AcceptorState.Fresh, held, Guid.Empty, held.Version + 1, ballot).Reply);
        var ahead = new AcceptorState(held.Version + 2, ballot, Ballot.Zero, null);
        Assert.IsType<AcceptorReply.Behind>(DocumentAcceptor.Prepare(ahead, held, ClusterId, held.Version + 1, ballot).Reply);
    }

    [Fact]
    public void Proposer_AdoptsTheAcceptedValueOfTheHighestBallot()
    {
        var held = Cluster(5);
        var (own, older, newer) = (Next(held, 6), Next(held, 7), Next(held, 8));
        var proposer = new DocumentProposer(held, own, new Ballot(9, Id(1)));
        Assert.Equal(3, proposer.Majority);
        proposer.OnPrepareReply(Id(1), new AcceptorReply.Promised(new Ballot(1, Id(2)), older));
        proposer.OnPrepareReply(Id(2), new AcceptorReply.Promised(new Ballot(3, Id(2)), newer));
        var accept = Assert.IsType<ProposerStep.SendAccept>(proposer.OnPrepareReply(Id(3), new AcceptorReply.Promised(Ballot.Zero, null)));
        Assert.Same(newer, accept.Document);
        proposer.OnAcceptReply(Id(1), new AcceptorReply.Accepted());
        proposer.OnAcceptReply(Id(1), new AcceptorReply.Accepted());
        Assert.IsType<ProposerStep.Wait>(proposer.OnAcceptReply(Id(2), new AcceptorReply.Accepted()));
        var decided = Assert.IsType<ProposerStep.Decided>(proposer.OnAcceptReply(Id(5), new AcceptorReply.Accepted()));
        Assert.Same(newer, decided.Document);
        Assert.False(decided.IsOwn);
    }

    [Fact]
    public void Proposer_WithoutAMajority_SaysWhy()
    {
        var held = Cluster(3);
        var silent = new DocumentProposer(held, Next(held, 7), new Ballot(1, Id(1)));
        silent.OnPrepareReply(Id(1), new AcceptorReply.Promised(Ballot.Zero, null));
        silent.OnPrepareReply(Id(2), null);
        Assert.Equal(new ProposerStep.Unreachable(1, 2), silent.OnPrepareReply(Id(3), null));
        var outbid = new DocumentProposer(held, Next(held, 7), new Ballot(1, Id(1)));
        outbid.OnPrepareReply(Id(2), new AcceptorReply.Rejected(new Ballot(4, Id(3))));
        Assert.Equal(new ProposerStep.Outbid(new Ballot(4, Id(3))), outbid.OnPrepareReply(Id(3), new AcceptorReply.Rejected(new Ballot(2, Id(2)))));
        Assert.True(DocumentProposer.NextBallot(new Ballot(4, Id(3)), Id(1)) > new Ballot(4, Id(3)));
    }

    [Fact]
    public void Proposer_IgnoresWhoHasNoVote_AndLatePhases()
    {
        var held = Change(Cluster(3), new DocumentChange.StageJoin(Node(4)));
        var proposer = new DocumentProposer(held, Next(held, 7), new Ballot(1, Id(1)));
        Assert.DoesNotContain(Id(4), proposer.Voters);
        proposer.OnPrepareReply(Id(4), new AcceptorReply.Promised(Ballot.Zero, null));
        Assert.IsType<ProposerStep.Wait>(proposer.OnPrepareReply(Id(1), new AcceptorReply.Promised(Ballot.Zero, null)));
        Assert.IsType<ProposerStep.SendAccept>(proposer.OnPrepareReply(Id(2), new AcceptorReply.Promised(Ballot.Zero, null)));
        Assert.IsType<ProposerStep.Wait>(proposer.OnPrepareReply(Id(3), new AcceptorReply.Promised(Ballot.Zero, null)));
        Assert.Equal(new ProposerStep.Behind(held), proposer.OnAcceptReply(Id(3), new AcceptorReply.AlreadyDecided(held)));
    }

    [Fact]
    public void Proposer_TeachesAVoterThatIsBehind_OnceAPhase()
    {
        var held = Cluster(3);
        var proposer = new DocumentProposer(held, Next(held, 7), new Ballot(1, Id(1)));
        Assert.Equal(new ProposerStep.Teach(Id(2), 1), proposer.OnPrepareReply(Id(2), new AcceptorReply.Behind(1)));
        Assert.IsType<ProposerStep.Wait>(proposer.OnPrepareReply(Id(2), new AcceptorReply.Behind(1)));
        Assert.IsType<ProposerStep.Unreachable>(proposer.OnPrepareReply(Id(3), null));
    }

    [Fact]
    public void Agreement_UnderLossRepetitionReorderingAndCrashes_NeverDecidesTwice()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 2], Gen.UInt.Array[50, 600]).Sample((nodes, loss, schedule) => Run(nodes, loss, schedule), iter: 600);
    }

    [Fact]
    public void Agreement_OnACalmNetwork_DecidesManyVersions()
    {
        var decided = 0;
        Gen.UInt.Array[2000].Sample(schedule => decided = Math.Max(decided, Run(4, loss: 0, schedule)), iter: 6);
        Assert.True(decided >= 5, $"{decided} versions were decided");
    }

    private static int Run(int nodes, int loss, uint[] schedule)
    {
        var world = new AgreementWorld(nodes, loss);
        foreach (var choice in schedule)
        {
            world.Step(choice);
        }

        return world.Decided.Count;
    }

    private static ClusterDocument Next(ClusterDocument held, int port) => Change(held, new DocumentChange.SetEndpoints(Id(1), Node(port).Endpoints));
}
