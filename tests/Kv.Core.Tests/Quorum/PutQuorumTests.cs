using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;
using static Kv.Core.Tests.Quorum.GetQuorumTests;

namespace Kv.Core.Tests.Quorum;

public sealed class PutQuorumTests
{
    // As in GetQuorumTests; place 0 coordinates but where `none` says that nobody does. Replies: r received, d durable, x failed, o overloaded.
    [Theory]
    [InlineData("w=2 dw=2", "PPP", "0d 1d", "wM")]
    [InlineData("w=2 dw=2", "PPP", "1d 2d 0d", "wwM")] // the coordinator's own copy is always waited for
    [InlineData("w=2 dw=2", "PPP", "1d 2d 0x", "wwU coordinator")]
    [InlineData("w=2 dw=2 none", "PPP", "1d 2d", "wM")]
    [InlineData("w=1 dw=1", "PPP", "1d 0r 0d", "wwM")]
    [InlineData("w=3 dw=1", "PPP", "0d 1r 2r", "wwM")] // received is enough for w
    [InlineData("w=3 dw=1", "PPP", "0d 1r 2x", "wwU w 3 2")]
    [InlineData("w=2 dw=2", "PPP", "0d 0d 1d", "wwM")] // a duplicate counts once
    [InlineData("w=2 dw=2", "PPP", "0d 1x 2d", "wwM")]
    [InlineData("w=2 dw=2", "PPP", "0d 1x 2x", "wwU dw 2 1")]
    [InlineData("w=2 dw=2", "PPP", "0d 1r 1x 2x", "wwwU dw 2 1")] // received, then failed to store
    [InlineData("w=2 dw=2", "PPP", "0d 1o 2x", "wwU overload")]
    [InlineData("w=2 dw=2", "PPP", "0o", "U overload")]
    [InlineData("w=1 dw=1 pw=2", "PPF", "0d 2d 1d", "wwM")]
    [InlineData("w=1 dw=1 pw=2", "PPF", "0d 2d 1x", "wwU pw 2 1")]
    [InlineData("w=1 dw=1 confirms=2 samenode", "PPP", "0d 1d 2d", "wwM")]
    [InlineData("w=1 dw=1 confirms=2 samenode", "PPP", "0d 1d 2x", "wwU node_confirms 2 1")]
    [InlineData("w=0 dw=1", "PPP", "0d", "M")]
    public void Verdicts(string options, string places, string replies, string expected)
    {
        var quorum = Quorum(options, places);
        var verdicts = replies.Split(' ').Select(reply => quorum.Add(reply[0] - '0', Kind(reply[1])) switch
        {
            QuorumVerdict.Wait => "w",
            QuorumVerdict.Met => "M",
            _ => "U",
        });
        Assert.Equal(expected, string.Concat(verdicts) + Name(quorum.Failure));
    }

    [Fact]
    public void Deadline_BeforeTheQuorum_IsATimeout()
    {
        var quorum = Quorum("w=2 dw=2", "PPP");
        quorum.Add(0, PutReplyKind.Received);
        Assert.Equal(QuorumVerdict.Unreachable, quorum.Conclude());
        Assert.IsType<QuorumFailure.Timeout>(quorum.Failure);
    }

    [Fact]
    public void AVerdict_Stays()
    {
        var quorum = Quorum("w=1 dw=1", "PPP");
        Assert.Equal(QuorumVerdict.Met, quorum.Add(0, PutReplyKind.Durable));
        quorum.Add(1, PutReplyKind.Failed);
        Assert.Equal(QuorumVerdict.Met, quorum.Add(2, PutReplyKind.Failed));
        Assert.Equal(QuorumVerdict.Met, quorum.Conclude());
    }

    [Fact]
    public void AnyReplies_EndInAVerdict_AndMetMeansEnough() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[-1, 2], Gen.Int[2, 4].Array[3], Gen.Bool.Array[3]).Sample((w, dw, pw, confirms, coordinator, kinds, primary) =>
        {
            var preflist = ImmutableArray.CreateRange(primary.Select((isPrimary, i) => new PreflistEntry(new PartitionId(i), new NodeId((ulong)(i / 2) + 1), isPrimary)));
            var quorum = new PutQuorum(new PutQuorumRules { NVal = 3, W = w, Dw = Math.Max(1, dw), Pw = pw, NodeConfirms = confirms }, preflist, coordinator);
            for (var i = 0; i < 3; i++)
            {
                var verdict = quorum.Add(i, (PutReplyKind)kinds[i]);
                var durable = Enumerable.Range(0, i + 1).Where(j => kinds[j] == 2).ToArray();
                Assert.True(verdict != QuorumVerdict.Met || (durable.Length >= Math.Max(w, dw) && durable.Count(j => primary[j]) >= pw && (coordinator < 0 || durable.Contains(coordinator))));
            }

            Assert.NotEqual(QuorumVerdict.Wait, quorum.Verdict);
            Assert.Equal(quorum.Verdict == QuorumVerdict.Unreachable, quorum.Failure is not null);
        });

    // Reference 2.2 step 3.
    [Fact]
    public void Check_BeforeAnythingIsSent()
    {
        Assert.IsType<QuorumFailure.AllNodesDown>(Rules("").Check([]));
        Assert.Equal(new QuorumFailure.Unsatisfied("pw", 3, 2), Rules("pw=3").Check(Preflist("PPF")));
        Assert.Equal(new QuorumFailure.InsufficientVnodes(1, 2), Rules("w=2").Check(Preflist("P")));
        Assert.Null(Rules("w=3").Check(Preflist("PFF")));
    }

    [Fact]
    public void Resolve_ForcesDwToOne_AndRefusesMoreThanNVal()
    {
        Assert.Equal(1, PutQuorumRules.Resolve(BucketProps.DefaultType, new PutQuorumOptions { Dw = QuorumValue.Of(0) }, out _)!.Dw);
        Assert.Null(PutQuorumRules.Resolve(BucketProps.DefaultType, new PutQuorumOptions { W = QuorumValue.Of(4) }, out var failure));
        Assert.Equal(new QuorumFailure.NValViolation(3), failure);
    }

    private static PutQuorumRules Rules(string options) => new()
    {
        NVal = 3,
        W = Number(options, "w", 2),
        Dw = Number(options, "dw", 1),
        Pw = Number(options, "pw", 0),
        NodeConfirms = Number(options, "confirms", 0),
    };

    private static PutQuorum Quorum(string options, string places) => new(
        Rules(options),
        Preflist(places, options.Contains("samenode", StringComparison.Ordinal)),
        options.Contains("none", StringComparison.Ordinal) ? PutQuorum.NoCoordinator : 0);

    private static PutReplyKind Kind(char code) => code switch
    {
        'r' => PutReplyKind.Received,
        'd' => PutReplyKind.Durable,
        'o' => PutReplyKind.Overloaded,
        _ => PutReplyKind.Failed,
    };
}
