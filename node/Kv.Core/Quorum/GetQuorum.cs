using System.Collections.Immutable;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>
/// Counts the replies to a read and says when it is decided (riak_kv_get_core; reference 2.4). Each reply gives a verdict; once it is not
/// <see cref="QuorumVerdict.Wait"/> it stays, and later replies only serve read repair. After a reply of each replica there is always a verdict.
/// "Not found" is believed last. While a primary has yet to answer, one from a fallback counts for nothing, and one from a primary only where another replica has the
/// object: a stand-in that was never told of the key, or an owner that was away when it was written and waits for its hints, knows nothing of it, and two of
/// them must not outvote the one that does. (Where `notfound_ok` is off, a primary's is a failure and counts as one.) `basic_quorum`, which asks for a quick answer, and the deadline lift that.
/// Not thread-safe: one coordinator owns it.
/// </summary>
public sealed class GetQuorum
{
    private readonly GetQuorumRules rules;
    private readonly ImmutableArray<PreflistEntry> preflist;
    private readonly GetReplyKind[] replies;
    private int primariesPending;
    private bool notFoundsCount;
    private bool isFound;
    private bool isOver;

    /// <summary>The preference list has passed <see cref="GetQuorumRules.Check"/>; replicas are named by their position in it.</summary>
    public GetQuorum(GetQuorumRules rules, ImmutableArray<PreflistEntry> preflist)
    {
        this.rules = rules;
        this.preflist = preflist;
        replies = new GetReplyKind[preflist.Length];
        Pending = preflist.Length;
        foreach (var entry in preflist)
        {
            primariesPending += entry.IsPrimary ? 1 : 0;
        }

        notFoundsCount = rules.BasicQuorum || primariesPending == 0;
    }

    public QuorumVerdict Verdict { get; private set; }

    /// <summary>Why not, once the verdict is <see cref="QuorumVerdict.Unreachable"/>.</summary>
    public QuorumFailure? Failure { get; private set; }

    /// <summary>Replicas that have not replied.</summary>
    public int Pending { get; private set; }

    /// <summary>Takes in a reply; a second one of the same replica is ignored.</summary>
    public QuorumVerdict Add(int replica, GetReplyKind reply)
    {
        if (replies[replica] != 0)
        {
            return Verdict;
        }

        replies[replica] = reply;
        Pending--;
        isFound |= reply is GetReplyKind.Found or GetReplyKind.Tombstone;
        primariesPending -= preflist[replica].IsPrimary ? 1 : 0;
        notFoundsCount |= primariesPending == 0;
        return Verdict == QuorumVerdict.Wait ? Decide() : Verdict;
    }

    /// <summary>The deadline has passed: what has come decides, or it is a timeout.</summary>
    public QuorumVerdict Conclude()
    {
        if (Verdict == QuorumVerdict.Wait)
        {
            notFoundsCount = isOver = true;
            if (Decide() == QuorumVerdict.Wait)
            {
                Fail(new QuorumFailure.Timeout());
            }
        }

        return Verdict;
    }

    private QuorumVerdict Decide()
    {
        var count = Count();
        var nodes = rules.NodeConfirms == 0 ? 0 : PreflistChecks.CountNodes(preflist, static (self, i) => self.IsOk(i), this);
        if (count.Ok >= rules.R && count.PrimaryOk >= rules.Pr && nodes >= rules.NodeConfirms)
        {
            return Verdict = QuorumVerdict.Met;
        }

        var open = Pending + count.Held;
        var canMeet = count.Ok + open >= rules.R && count.PrimaryOk + count.PrimaryHeld + primariesPending >= rules.Pr && CanConfirm(nodes);
        var basicFails = rules.BasicQuorum && count.Failed >= (rules.NVal / 2) + 1;

        // Nobody failed and nobody has a live value: the answer is "not found", whatever the options make of not-founds. It is no less to be believed last where they cannot be met any more.
        var isNotFound = count.NotFound > 0 && count.NotFound + count.Held + count.Tombstones == replies.Length - Pending;
        if (open > 0 && !basicFails && (canMeet || (isNotFound && Pending > 0 && !isOver)))
        {
            return QuorumVerdict.Wait;
        }

        if (isNotFound)
        {
            return Verdict = QuorumVerdict.Met;
        }

        return Fail(count.Overloaded ? new QuorumFailure.Overload() : Unmet(count, nodes));
    }

    private QuorumFailure.Unsatisfied Unmet(Counts count, int nodes)
    {
        if (count.Ok >= rules.R && count.PrimaryOk >= rules.Pr)
        {
            return new QuorumFailure.Unsatisfied("node_confirms", rules.NodeConfirms, nodes);
        }

        // Of two unmet rules the more restrictive is named.
        return count.PrimaryOk < rules.Pr && (count.Ok >= rules.R || rules.Pr >= rules.R)
            ? new QuorumFailure.Unsatisfied("pr", rules.Pr, count.PrimaryOk)
            : new QuorumFailure.Unsatisfied("r", rules.R, count.Ok);
    }

    private QuorumVerdict Fail(QuorumFailure failure)
    {
        Failure = failure;
        return Verdict = QuorumVerdict.Unreachable;
    }

    private bool CanConfirm(int nodes) =>
        nodes >= rules.NodeConfirms
        || PreflistChecks.CountNodes(preflist, static (self, i) => self.IsOk(i) || self.replies[i] == 0 || self.IsHeld(i), this) >= rules.NodeConfirms;

    private bool IsOk(int replica) => replies[replica] switch
    {
        GetReplyKind.Found or GetReplyKind.Tombstone => true,
        GetReplyKind.NotFound => rules.NotFoundOk && !IsHeld(replica),
        _ => false,
    };

    private bool IsHeld(int replica) =>
        !notFoundsCount
        && replies[replica] == GetReplyKind.NotFound
        && !(preflist[replica].IsPrimary && (isFound || !rules.NotFoundOk));

    private Counts Count()
    {
        var count = default(Counts);
        for (var i = 0; i < replies.Length; i++)
        {
            if (IsOk(i))
            {
                count.Ok++;
                count.PrimaryOk += preflist[i].IsPrimary ? 1 : 0;
            }

            count.Held += IsHeld(i) ? 1 : 0;
            count.PrimaryHeld += IsHeld(i) && preflist[i].IsPrimary ? 1 : 0;
            count.NotFound += replies[i] == GetReplyKind.NotFound && !IsHeld(i) ? 1 : 0;
            count.Tombstones += replies[i] == GetReplyKind.Tombstone ? 1 : 0;
            count.Overloaded |= replies[i] == GetReplyKind.Overloaded;
            count.Failed += replies[i] != 0 && !IsOk(i) && !IsHeld(i) ? 1 : 0;
        }

        return count;
    }

    private struct Counts
    {
        public int Ok;
        public int PrimaryOk;
        public int NotFound;
        public int Tombstones;
        public int Failed;
        public int Held;
        public int PrimaryHeld;
        public bool Overloaded;
    }
}
