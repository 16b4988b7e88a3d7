using System.Globalization;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;
using static Kv.Kubectl.Diagnosis.FindingLevel;

namespace Kv.Kubectl.Diagnosis;

/// <summary>Checks of members and of what lies between them.</summary>
internal static class MemberChecks
{
    /// <summary>What nodes themselves take for right where time decides (bucket types with a `ttl`).</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ClockFar = TimeSpan.FromMinutes(1);

    public static IEnumerable<Finding> Members(ClusterFacts facts)
    {
        foreach (var member in facts.Cluster.Members)
        {
            if (member.State == MemberState.Down)
            {
                yield return new(Warning, $"{member.Name} is marked as down; it takes that back itself when it returns. If it does not: kv admin cluster replace, or force-remove");
            }
            else if (!member.Up)
            {
                yield return new(Error, $"{member.Name} cannot be reached, and others stand in for it. If that stays so: kv admin cluster down {member.Name}");
            }
        }

        foreach (var (name, answer) in facts.Answers.Where(member => member.Facts.Node.Draining))
        {
            yield return new(Notice, $"{name} is drained: it takes no requests of clients until it is restarted");
        }
    }

    public static IEnumerable<Finding> Answers(ClusterFacts facts) =>
        facts.Members.Where(member => member.Value is null).Select(member => new Finding(
            Warning, $"{member.Key} is up, and its admin port does not answer from here: what it says of itself is not among these findings"));

    public static IEnumerable<Finding> Links(ClusterFacts facts)
    {
        var up = facts.Cluster.Members.Where(member => member.Up && member.State != MemberState.Down).Select(member => member.Id).ToHashSet(StringComparer.Ordinal);
        return from member in facts.Answers
               from peer in member.Facts.Peers.Peers_
               where !peer.Up && up.Contains(peer.Id)
               select new Finding(Error, $"{member.Name} does not reach {peer.Name}, which others reach: look at the network between their peer ports");
    }

    /// <summary>Against the middle of them: which clock is right nobody knows, and this machine's own need not be.</summary>
    public static IEnumerable<Finding> Clocks(ClusterFacts facts)
    {
        var clocks = facts.Answers.Where(member => member.Facts.Clock is not null).Select(member => (member.Name, Clock: member.Facts.Clock!)).OrderBy(clock => clock.Clock.Ahead).ToList();
        if (clocks.Count < 2)
        {
            yield break;
        }

        var middle = clocks[(clocks.Count - 1) / 2];
        foreach (var (name, clock) in clocks)
        {
            var off = clock.Ahead - middle.Clock.Ahead;
            var surely = off.Duration() - clock.Uncertainty - middle.Clock.Uncertainty;
            if (surely > ClockTolerance)
            {
                var seconds = off.Duration().TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
                yield return new(
                    surely > ClockFar ? Error : Warning,
                    $"{name}'s clock is {seconds} s {(off > TimeSpan.Zero ? "ahead of" : "behind")} {middle.Name}'s: where the time of a write decides (last_write_wins, allow_mult=false, ttl), the wrong one may win");
            }
        }
    }

    public static IEnumerable<Finding> Programs(ClusterFacts facts)
    {
        var versions = facts.Answers.ToLookup(member => member.Facts.Node.Version, member => member.Name);
        if (versions.Count > 1)
        {
            var each = versions.Select(version => $"{version.Key} on {string.Join(", ", version)}");
            yield return new(Notice, $"programs differ: {string.Join("; ", each)}. New forms are written when all are alike");
        }

        var formats = facts.Answers.ToLookup(member => member.Facts.Node.FormatVersion, member => member.Name);
        if (formats.Count > 1)
        {
            var each = formats.Select(format => $"{Words.Number(format.Key)} on {string.Join(", ", format)}");
            yield return new(Notice, $"formats on disk differ: {string.Join("; ", each)}. A program of the older one cannot read the newer one's disk");
        }
    }
}
