using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>
/// Counts the replies to a write and says when it is decided (riak_kv_put_core; reference 2.2). Each reply gives a verdict; once it is not
/// <see cref="QuorumVerdict.Wait"/> it stays. When each replica has given its last reply there is always a verdict.
/// The coordinating vnode's own durable copy is part of every quorum: it gave the write its dot, and if it crashed without the write the others would
/// hold an acknowledged event that its maker does not know of. A failed write is not taken back: replicas that have it keep it.
/// Not thread-safe: one coordinator owns it.
/// </summary>
public sealed class PutQuorum
{
    /// <summary>In place of a coordinating replica, for writes without one (`asis`, write-once types).</summary>
    public const int NoCoordinator = -1;

    private readonly PutQuorumRules rules;
    private readonly ImmutableArray<PreflistEntry> preflist;
    private readonly int coordinator;
    private readonly State[] replicas;

    /// <summary>The preference list has passed <see cref="PutQuorumRules.Check"/>; replicas are named by their position in it.</summary>
    public PutQuorum(PutQuorumRules rules, ImmutableArray<PreflistEntry> preflist, int coordinator)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(coordinator, NoCoordinator);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(coordinator, preflist.Length);
        this.rules = rules;
        this.preflist = preflist;
        this.coordinator = coordinator;
        replicas = new State[preflist.Length];
    }

    private enum State : byte
    {
        Pending = 0,
        Received = 1,
        Durable = 2,
        Failed = 3,

        /// <summary>Failed after it had received.</summary>
        ReceivedOnly = 4,
        Overloaded = 5,
    }

    public QuorumVerdict Verdict { get; private set; }

    /// <summary>Why not, once the verdict is <see cref="QuorumVerdict.Unreachable"/>.</summary>
    public QuorumFailure? Failure { get; private set; }

    /// <summary>Takes in a reply; one that adds nothing to what the replica said before is ignored.</summary>
    public QuorumVerdict Add(int replica, PutReplyKind reply)
    {
        var next = (replicas[replica], reply) switch
        {
            (State.Pending, PutReplyKind.Received) => State.Received,
            (State.Pending or State.Received, PutReplyKind.Durable) => State.Durable,
            (State.Pending, PutReplyKind.Failed) => State.Failed,
            (State.Pending, PutReplyKind.Overloaded) => State.Overloaded,
            (State.Received, PutReplyKind.Failed or PutReplyKind.Overloaded) => State.ReceivedOnly,
            var (state, _) => state,
        };
        if (next == replicas[replica])
        {
            return Verdict;
        }

        replicas[replica] = next;
        return Verdict == QuorumVerdict.Wait ? Decide() : Verdict;
    }

    /// <summary>The deadline has passed: without a verdict so far it is a timeout.</summary>
    public QuorumVerdict Conclude() => Verdict == QuorumVerdict.Wait ? Fail(new QuorumFailure.Timeout()) : Verdict;

    private QuorumVerdict Decide()
    {
        var got = Tally(static state => state is State.Durable, static state => state is State.Received or State.Durable or State.ReceivedOnly);
        if (IsMet(got) && (coordinator == NoCoordinator || replicas[coordinator] == State.Durable))
        {
            return Verdict = QuorumVerdict.Met;
        }

        if (coordinator != NoCoordinator && replicas[coordinator] is State.Failed or State.ReceivedOnly)
        {
            return Fail(new QuorumFailure.CoordinatorFailed());
        }

        if (coordinator != NoCoordinator && replicas[coordinator] is State.Overloaded)
        {
            return Fail(new QuorumFailure.Overload());
        }

        // The best that can still come: everyone who has not said otherwise stores it.
        var best = Tally(
            static state => state is State.Durable or State.Pending or State.Received,
            static state => state is not (State.Failed or State.Overloaded));
        if (IsMet(best))
        {
            return QuorumVerdict.Wait;
        }

        return Fail(Count(State.Overloaded) > 0 ? new QuorumFailure.Overload() : Unmet(best, got));
    }

    private bool IsMet(in Totals totals) =>
        totals.W >= rules.W && totals.Dw >= rules.Dw && totals.Pw >= rules.Pw && totals.Nodes >= rules.NodeConfirms;

    // Names a rule that can no longer be met, in Riak's order, with what it has got so far.
    private QuorumFailure.Unsatisfied Unmet(in Totals best, in Totals got)
    {
        if (best.Pw < rules.Pw)
        {
            return new QuorumFailure.Unsatisfied("pw", rules.Pw, got.Pw);
        }

        if (best.Nodes < rules.NodeConfirms)
        {
            return new QuorumFailure.Unsatisfied("node_confirms", rules.NodeConfirms, got.Nodes);
        }

        return best.Dw < rules.Dw
            ? new QuorumFailure.Unsatisfied(rules.HasOneW ? "w" : "dw", rules.Dw, got.Dw)
            : new QuorumFailure.Unsatisfied("w", rules.W, got.W);
    }

    private QuorumVerdict Fail(QuorumFailure failure)
    {
        Failure = failure;
        return Verdict = QuorumVerdict.Unreachable;
    }

    private Totals Tally(Func<State, bool> isDurable, Func<State, bool> isReceived)
    {
        var totals = default(Totals);
        for (var i = 0; i < replicas.Length; i++)
        {
            totals.W += isReceived(replicas[i]) ? 1 : 0;
            if (isDurable(replicas[i]))
            {
                totals.Dw++;
                totals.Pw += preflist[i].IsPrimary ? 1 : 0;
            }
        }

        if (rules.NodeConfirms > 0)
        {
            totals.Nodes = PreflistChecks.CountNodes(preflist, static (state, i) => state.isDurable(state.replicas[i]), (replicas, isDurable));
        }

        return totals;
    }

    private int Count(State wanted)
    {
        var count = 0;
        foreach (var state in replicas)
        {
            count += state == wanted ? 1 : 0;
        }

        return count;
    }

    private struct Totals
    {
        public int W;
        public int Dw;
        public int Pw;
        public int Nodes;
    }
}
