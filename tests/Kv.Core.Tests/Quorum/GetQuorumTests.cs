using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Quorum;

public sealed class GetQuorumTests
{
    // A story per line: options, places (P primary, F fallback), replies by place in order (f found, t tombstone, n not found, x failed, o overloaded) and the verdict
    // after each (w wait, M met, U unreachable).
    [Theory]
    [InlineData("r=2", "PPP", "0f 1f", "wM")]
    [InlineData("r=2", "PPP", "0f 0f 1f", "wwM")] // a duplicate counts once
    [InlineData("r=2", "PPP", "0n 1n 2n", "wwM")] // notfound_ok: a not-found is an answer, though it is believed last:
    [InlineData("r=2", "PPP", "0n 1n 2f", "wwM")] // two owners that were away do not outvote the one that was there
    [InlineData("r=2", "PPP", "0n 1n 2x", "wwM")] // the last owner cannot say
    [InlineData("r=2", "PPP", "0n 1f", "wM")] // a value is there, and the other owner's not-found is an answer like any
    [InlineData("r=1 basic", "PPP", "0n", "M")] // asked for the quick answer
    [InlineData("r=2", "PPP", "0f 1x 2f", "wwM")]
    [InlineData("r=2", "PPP", "0x 1x", "wU r 2 0")]
    [InlineData("r=2", "PPP", "0f 1x 2x", "wwU r 2 1")]
    [InlineData("r=2", "PPP", "0x 1o", "wU overload")]
    [InlineData("r=1", "PPP", "0x 1x 2n", "wwM")]
    [InlineData("r=2 notfound_ok=false", "PPP", "0n 1f 2f", "wwM")]
    [InlineData("r=2 notfound_ok=false", "PPP", "0n 1n 2n", "wwM")] // nothing but not-founds: the answer is "not found"
    [InlineData("r=2 notfound_ok=false", "PPP", "0n 1n 2f", "wwU r 2 1")] // and only then: the last one may have it
    [InlineData("r=2 pr=3 notfound_ok=false", "PPP", "0n 1f 2f", "wUU pr 3 1")]
    [InlineData("r=2 pr=3 notfound_ok=false", "PPP", "0n 1n 2n", "wwM")]
    [InlineData("r=3 notfound_ok=false basic", "PPP", "0n 1n", "wM")]
    [InlineData("r=2 notfound_ok=false", "PPP", "0n 1t 2n", "wwM")] // and tombstones
    [InlineData("r=2 notfound_ok=false", "PPP", "0n 1f 2n", "wwU r 2 1")]
    [InlineData("r=1 notfound_ok=false", "PPP", "0n 1n 2f", "wwM")] // without basic_quorum the last one is waited for
    [InlineData("r=1 notfound_ok=false basic", "PPP", "0n 1n", "wM")] // with it, a quorum of not-founds is enough
    [InlineData("r=1 notfound_ok=false basic", "PPP", "0x 1n", "wU r 1 0")]
    [InlineData("r=1 pr=2", "PPF", "0f 2f 1f", "wwM")]
    [InlineData("r=1 pr=2", "PPF", "0f 1x", "wU pr 2 1")]
    [InlineData("r=2 pr=2", "PPP", "0n 1n 2n", "wwM")] // a primary's not-found that is held back is no failure
    [InlineData("r=3 pr=3", "PPP", "0n 1f 2f", "wwM")]
    [InlineData("r=3 pr=1", "PFF", "1f 0x", "wU r 3 1")] // the more restrictive of the two is named
    [InlineData("r=2", "PFF", "1n 2n 0f", "wwM")] // two empty stand-ins do not outvote the living owner
    [InlineData("r=2", "PFF", "1n 2n 0x", "wwM")] // once it has answered, they count
    [InlineData("r=2", "PPF", "2n 0f 1f", "wwM")]
    [InlineData("r=2", "PPF", "2f 0f", "wM")] // a fallback that has the object counts at once
    [InlineData("r=2", "FFF", "0n 1n", "wM")] // no primary is up: nobody to wait for
    [InlineData("r=2 basic", "PFF", "1n 2n", "wM")] // asked for the quick answer
    [InlineData("r=2 notfound_ok=false", "PFF", "1n 2n 0f", "wwU r 2 1")]
    [InlineData("r=1 confirms=2", "PPP", "0f 1f", "wM")]
    [InlineData("r=1 confirms=2 samenode", "PPP", "0f 1f 2f", "wwM")] // the first two places are on one node
    [InlineData("r=1 confirms=2 samenode", "PPP", "0f 2x", "wU node_confirms 2 1")]
    public void Verdicts(string options, string places, string replies, string expected)
    {
        var quorum = new GetQuorum(Rules(options, places.Length), Preflist(places, options.Contains("samenode", StringComparison.Ordinal)));
        var verdicts = replies.Split(' ').Select(reply => quorum.Add(reply[0] - '0', Kind(reply[1])) switch
        {
            QuorumVerdict.Wait => "w",
            QuorumVerdict.Met => "M",
            _ => "U",
        });
        Assert.Equal(expected, string.Concat(verdicts) + Name(quorum.Failure));
    }

    [Fact]
    public void Deadline_WithAFallbacksNotFoundHeldBack_CountsIt()
    {
        var quorum = new GetQuorum(Rules("r=2", 3), Preflist("PPF"));
        quorum.Add(0, GetReplyKind.Found);
        Assert.Equal(QuorumVerdict.Wait, quorum.Add(2, GetReplyKind.NotFound));
        Assert.Equal(QuorumVerdict.Met, quorum.Conclude());
    }

    [Fact]
    public void Deadline_WithNotFoundsThatAreFailures_SaysNotFound()
    {
        var quorum = new GetQuorum(Rules("r=2 pr=3 notfound_ok=false", 3), Preflist("PPP"));
        Assert.Equal(QuorumVerdict.Wait, quorum.Add(0, GetReplyKind.NotFound));
        Assert.Equal(QuorumVerdict.Met, quorum.Conclude());
    }

    [Fact]
    public void Deadline_WithTooFewReplies_IsATimeout()
    {
        var quorum = new GetQuorum(Rules("r=2", 3), Preflist("PPP"));
        quorum.Add(0, GetReplyKind.Found);
        Assert.Equal(QuorumVerdict.Unreachable, quorum.Conclude());
        Assert.IsType<QuorumFailure.Timeout>(quorum.Failure);
    }

    [Fact]
    public void AnyReplies_EndInAVerdict_AndMetMeansEnough() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Bool, Gen.Bool, Gen.Int[1, 5].Array[3], Gen.Bool.Array[3]).Sample((r, pr, confirms, basic, ok, kinds, primary) =>
        {
            var preflist = ImmutableArray.CreateRange(primary.Select((isPrimary, i) => new PreflistEntry(new PartitionId(i), new NodeId((ulong)(i / 2) + 1), isPrimary)));
            var rules = new GetQuorumRules { NVal = 3, R = Math.Max(1, r), Pr = pr, NodeConfirms = confirms, BasicQuorum = basic, NotFoundOk = ok };
            var quorum = new GetQuorum(rules, preflist);
            for (var i = 0; i < 3; i++)
            {
                var before = quorum.Verdict;
                var verdict = quorum.Add(i, (GetReplyKind)kinds[i]);
                if (before != QuorumVerdict.Wait)
                {
                    Assert.Equal(before, verdict); // what comes after the verdict changes nothing
                    continue;
                }

                var answered = kinds.Take(i + 1).Count(kind => kind <= 3);
                Assert.True(verdict != QuorumVerdict.Met || answered >= rules.R || kinds.Take(i + 1).All(kind => kind is 2 or 3));
            }

            Assert.NotEqual(QuorumVerdict.Wait, quorum.Verdict);
            Assert.Equal(quorum.Verdict == QuorumVerdict.Unreachable, quorum.Failure is not null);
        });

    // Reference 2.4 step 1: the order of the checks and their errors.
    [Theory]
    [InlineData("", "PPP", "")]
    [InlineData("", "", "AllNodesDown { }")]
    [InlineData("pr=3", "PPF", "Unsatisfied { Option = pr, Required = 3, Got = 2 }")]
    [InlineData("r=3", "PP", "InsufficientVnodes { Got = 2, Required = 3 }")]
    [InlineData("r=1 confirms=3 samenode", "PPP", "Unsatisfied { Option = node_confirms, Required = 3, Got = 2 }")]
    public void Check_BeforeAnythingIsSent(string options, string places, string expected) =>
        Assert.Equal(expected, Rules(options, 3).Check(Preflist(places, options.Contains("samenode", StringComparison.Ordinal)))?.ToString() ?? "");

    [Fact]
    public void Resolve_TakesWordsPropertiesAndLowerNVals()
    {
        var props = BucketProps.DefaultType with { NVal = 5, R = QuorumValue.All, Pr = QuorumValue.Of(4) };
        Assert.Equal((5, 4, 5), Resolved(props, new GetQuorumOptions()));
        Assert.Equal((3, 4, 5), Resolved(props, new GetQuorumOptions { R = QuorumValue.Quorum }));
        Assert.Equal((3, 3, 3), Resolved(props, new GetQuorumOptions { NVal = 3 }));
        Assert.Equal((1, 0, 5), Resolved(props, new GetQuorumOptions { R = QuorumValue.Of(0), Pr = QuorumValue.Of(0) }));
    }

    [Fact]
    public void Resolve_AboveNVal_IsAViolation()
    {
        Assert.Equal(new QuorumFailure.NValViolation(3), Violation(BucketProps.DefaultType, new GetQuorumOptions { R = QuorumValue.Of(4) }));
        Assert.Equal(new QuorumFailure.NValViolation(3), Violation(BucketProps.DefaultType, new GetQuorumOptions { NVal = 4 }));
        Assert.Equal(new QuorumFailure.NValViolation(3), Violation(BucketProps.DefaultType, new GetQuorumOptions { NVal = 0 }));
        Assert.Equal(new QuorumFailure.NValViolation(2), Violation(BucketProps.DefaultType, new GetQuorumOptions { NVal = 2, Pr = QuorumValue.Of(3) }));
        Assert.Equal(new QuorumFailure.ValueViolation("pr"), Violation(BucketProps.DefaultType with { Pr = QuorumValue.Default }, new GetQuorumOptions { R = QuorumValue.Of(4) }));
    }

    internal static ImmutableArray<PreflistEntry> Preflist(string places, bool sharesNode = false) =>
        [.. places.Select((place, i) => new PreflistEntry(new PartitionId(i), new NodeId(sharesNode && i == 1 ? 1 : (ulong)i + 1), place == 'P'))];

    internal static string Name(QuorumFailure? failure) => failure switch
    {
        null => "",
        QuorumFailure.Unsatisfied unmet => $" {unmet.Option} {unmet.Required} {unmet.Got}",
        QuorumFailure.Overload => " overload",
        QuorumFailure.CoordinatorFailed => " coordinator",
        _ => $" {failure}",
    };

    internal static int Number(string options, string name, int otherwise)
    {
        var option = options.Split(' ').FirstOrDefault(option => option.StartsWith(name + "=", StringComparison.Ordinal));
        return option is null ? otherwise : option[^1] - '0';
    }

    private static (int R, int Pr, int NVal) Resolved(BucketProps props, GetQuorumOptions options)
    {
        var rules = GetQuorumRules.Resolve(props, options, out var failure);
        Assert.Null(failure);
        return (rules!.R, rules.Pr, rules.NVal);
    }

    private static QuorumFailure? Violation(BucketProps props, GetQuorumOptions options)
    {
        Assert.Null(GetQuorumRules.Resolve(props, options, out var failure));
        return failure;
    }

    private static GetQuorumRules Rules(string options, int nVal) => new()
    {
        NVal = nVal,
        R = Number(options, "r", 2),
        Pr = Number(options, "pr", 0),
        NodeConfirms = Number(options, "confirms", 0),
        BasicQuorum = options.Contains("basic", StringComparison.Ordinal),
        NotFoundOk = !options.Contains("notfound_ok=false", StringComparison.Ordinal),
    };

    private static GetReplyKind Kind(char code) => code switch
    {
        'f' => GetReplyKind.Found,
        't' => GetReplyKind.Tombstone,
        'n' => GetReplyKind.NotFound,
        'o' => GetReplyKind.Overloaded,
        _ => GetReplyKind.Failed,
    };
}
