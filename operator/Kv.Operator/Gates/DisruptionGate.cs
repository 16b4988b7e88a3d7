using System.Collections.Immutable;
using System.Globalization;
using Kv.Operator.Api;

namespace Kv.Operator.Gates;

/// <summary>
/// May this node go down now? The one answer for rolling restarts, changes of settings, upgrades, and evictions by others. A pure function of what the
/// other members see: the node's own opinion does not count, nor does that of a single peer.
/// </summary>
internal static class DisruptionGate
{
    /// <param name="snapshot">What was seen.</param>
    /// <param name="name">The node that is to go down.</param>
    public static GateVerdict MayGoDown(GateSnapshot snapshot, string name)
    {
        var index = IndexOf(snapshot.Members, name);
        if (index < 0 || snapshot.Members[index].IsDown)
        {
            // No preference list loses more than it has lost already: often this very restart is what mends it. But what another is not ready with may be what is wrong.
            return index >= 0 && snapshot.Members.FirstOrDefault(member => member.IsOnTrial && member.Name != name) is { } other
                ? Closed(Conditions.Reasons.NodesDown, $"{other.Name} has been restarted and is not ready")
                : new GateVerdict.Open();
        }

        if (WhyNotSeen(snapshot) is { } unseen)
        {
            return unseen;
        }

        // The lists come first, so that a person reads which data is at stake rather than only which node is away.
        var lists = OfLists(snapshot, index);
        return lists is GateVerdict.Closed ? lists : WhyOthers(snapshot, index) ?? WhyRing(snapshot) ?? WhyTooSoon(snapshot, index) ?? lists;
    }

    /// <summary>Whether any node at all may go down: what a budget for evictions rests on.</summary>
    public static GateVerdict MayAnyGoDown(GateSnapshot snapshot) =>
        snapshot.Members.Where(member => !member.IsDown).Select(member => MayGoDown(snapshot, member.Name)).FirstOrDefault(verdict => verdict is GateVerdict.Closed) ?? new GateVerdict.Open();

    private static GateVerdict.Closed? WhyNotSeen(GateSnapshot snapshot)
    {
        var needed = (snapshot.Members.Length / 2) + 1;
        return snapshot.Views < needed
            ? Closed(Conditions.Reasons.ViewsMissing, $"{snapshot.Views} of {snapshot.Members.Length} members tell what they see; {needed} are needed")
            : null;
    }

    private static GateVerdict.Closed? WhyOthers(GateSnapshot snapshot, int index)
    {
        foreach (var other in snapshot.Members.Where((_, i) => i != index))
        {
            var why = other switch
            {
                { IsUp: false } => $"{other.Name} is not seen up by all its peers",
                { IsValid: false } => $"{other.Name} is not a valid member now",
                { IsReady: false } => $"{other.Name} is not ready",
                _ => null,
            };
            if (why is not null)
            {
                return Closed(Conditions.Reasons.NodesDown, why);
            }

            if (other.IsDiskCritical)
            {
                return Closed(Conditions.Reasons.DiskCritical, $"the disk of {other.Name} is nearly full");
            }

            if (other.DamagedPartitions > 0)
            {
                return Closed(
                    Conditions.Reasons.DataDamaged, string.Create(CultureInfo.InvariantCulture, $"{other.Name} has lost its data of {other.DamagedPartitions} partitions, and they are to be rebuilt first"));
            }

            if (other.UpFor < snapshot.Policy.Settle)
            {
                return Passing(Conditions.Reasons.Settling, $"{other.Name} has been seen up by all its peers for less than {Text(snapshot.Policy.Settle)}");
            }
        }

        return null;
    }

    private static GateVerdict.Closed? WhyRing(GateSnapshot snapshot) => snapshot switch
    {
        { Converged: false } => Passing(Conditions.Reasons.RingConverging, "the members do not all hold the same cluster document"),
        { Staged: > 0 } => Passing(Conditions.Reasons.ChangeStaged, $"{snapshot.Staged} membership changes are staged"),
        { PendingTransfers: > 0 } => Passing(Conditions.Reasons.HandingOff, $"{snapshot.PendingTransfers} partitions are on their way"),
        // One that does not tell may hold what another has yet to get.
        _ when snapshot.HintViews < snapshot.Members.Length => Closed(Conditions.Reasons.ViewsMissing, $"{snapshot.HintViews} of {snapshot.Members.Length} members tell which hints they hold"),
        { PendingHints: > 0 } => Passing(Conditions.Reasons.HintsPending, $"stand-ins have yet to hand back {snapshot.PendingHints} partitions"),
        _ => null,
    };

    private static GateVerdict.Closed? WhyTooSoon(GateSnapshot snapshot, int index)
    {
        var last = snapshot.Members.Where((_, i) => i != index).MinBy(member => member.Uptime);
        return last is not null && last.Uptime < snapshot.Policy.MinInterval
            ? Passing(Conditions.Reasons.TooSoon, $"{last.Name} started less than {Text(snapshot.Policy.MinInterval)} ago")
            : null;
    }

    /// <summary>
    /// Each preference list that the node is in must keep as many live owners as requests need. Where it could not even with all others up (a quorum of all, a
    /// list in which the node stands twice), what it could have is enough, with a warning: to wait for more would be to wait for ever. Where nothing would be
    /// left, somebody has to have allowed it.
    /// </summary>
    private static GateVerdict OfLists(GateSnapshot snapshot, int index)
    {
        string? warning = null;
        foreach (var quorum in snapshot.Quorums.OrderByDescending(quorum => quorum.NVal))
        {
            for (var partition = 0; partition < snapshot.Owners.Length; partition++)
            {
                var list = PreferenceList(snapshot.Owners, partition, quorum.NVal);
                if (!list.Contains(index))
                {
                    continue;
                }

                var others = list.Count(owner => owner != index);
                var live = list.Count(owner => owner != index && owner < snapshot.Members.Length && snapshot.Members[owner].IsUp);
                var what = string.Create(CultureInfo.InvariantCulture, $"partition {partition} ({quorum.Whose}, n_val {quorum.NVal})");
                if (others == 0 && !snapshot.Policy.AllowUnavailable)
                {
                    return Closed(Conditions.Reasons.QuorumAtRisk, $"without {snapshot.Members[index].Name} {what} has no owner at all; spec.rollout.availabilityPolicy AllowUnavailable permits that");
                }

                if (live < Math.Min(quorum.Required, others))
                {
                    return Closed(Conditions.Reasons.QuorumAtRisk, $"without {snapshot.Members[index].Name} {what} has {live} live owners and needs {quorum.Required}");
                }

                warning ??= others < quorum.Required ? $"while {snapshot.Members[index].Name} is down {what} has {live} of the {quorum.Required} owners that its strictest requests ask for" : null;
            }
        }

        return new GateVerdict.Open(warning);
    }

    private static ImmutableArray<int> PreferenceList(ImmutableArray<int> owners, int partition, int nVal) =>
        [.. Enumerable.Range(0, Math.Min(nVal, owners.Length)).Select(i => owners[(partition + i) % owners.Length])];

    private static int IndexOf(ImmutableArray<GateMember> members, string name)
    {
        for (var i = 0; i < members.Length; i++)
        {
            if (members[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");

    private static GateVerdict.Closed Closed(string reason, string message) => new(reason, message, IsPassing: false);

    private static GateVerdict.Closed Passing(string reason, string message) => new(reason, message, IsPassing: true);
}
