using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;
using static Kv.Kubectl.Diagnosis.FindingLevel;

namespace Kv.Kubectl.Diagnosis;

/// <summary>Checks of what all members share: ring, replicas, transfers, bucket types.</summary>
internal static class RingChecks
{
    private const int StuckSeconds = 300;

    public static IEnumerable<Finding> Ring(ClusterFacts facts)
    {
        var cluster = facts.Cluster;
        var behind = cluster.Members.Where(member => member.Up && member.DocumentVersion < cluster.DocumentVersion).ToList();
        if (!cluster.Converged || behind.Count > 0)
        {
            var each = behind.Count == 0 ? "" : ": " + string.Join(", ", behind.Select(member => $"{member.Name} has {member.DocumentVersion}"));
            yield return new(Warning, $"version {cluster.DocumentVersion} of the ring is not seen on all members that are up{each}");
        }

        if (cluster.Staged.Count > 0)
        {
            yield return new(Notice, $"{Words.Count(cluster.Staged.Count, "change")} staged and not committed: kv admin cluster plan");
        }
    }

    public static IEnumerable<Finding> Replicas(ClusterFacts facts)
    {
        var cluster = facts.Cluster;
        var members = cluster.Members.Count(member => member.State is not (MemberState.Exiting or MemberState.Leaving));
        if (members < facts.MostReplicas)
        {
            var there = members == 1 ? "is 1 member" : $"are {members} members";
            yield return new(Warning, $"some bucket has {facts.MostReplicas} replicas, and there {there}: a node that is lost takes several replicas of a key with it");
        }

        foreach (var lists in facts.Preflists.GroupBy(list => list.NVal).OrderBy(lists => lists.Key))
        {
            var dead = lists.Count(list => list.Alive == 0);
            if (dead > 0)
            {
                yield return new(
                    Critical, $"buckets with n_val {lists.Key}: no primary that has its data is up for {dead} of the ring's {cluster.RingSize} ranges of keys; what was written to them cannot be read");
            }

            var few = lists.Count() - dead;
            if (few > 0)
            {
                yield return new(
                    Error, $"buckets with n_val {lists.Key}: no majority of primaries that have their data is up for {few} of the ring's {cluster.RingSize} ranges of keys; requests that want primaries (pr, pw) fail there");
            }
        }
    }

    public static IEnumerable<Finding> Transfers(ClusterFacts facts)
    {
        var cluster = facts.Cluster;
        if (cluster.PendingTransfers > 0)
        {
            yield return new(Notice, $"{Words.Count(cluster.PendingTransfers, "ownership transfer")} to go: kv admin transfers");
        }

        if (cluster.Rebuilding.Count > 0)
        {
            yield return new(Notice, $"{Words.Count(cluster.Rebuilding.Count, "partition")} being rebuilt from other replicas: kv admin transfers");
        }

        // What waits for a member that is down is that member's finding.
        var up = cluster.Members.Where(member => member.Up).Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var transfer in facts.Transfers.Where(transfer => up.Contains(transfer.To) && up.Contains(transfer.From)))
        {
            var what = $"the {Words.Of(transfer.Kind)} transfer of partition {Words.Number(transfer.Partition)} from {transfer.From} to {transfer.To}";
            if (transfer.SecondsSinceProgress >= StuckSeconds)
            {
                yield return new(Error, $"{what} has not moved for {Words.Number(transfer.SecondsSinceProgress)} s{(transfer.LastError.Length == 0 ? "" : $": {transfer.LastError}")}");
            }
            else if (transfer.State == Transfer.Types.State.Failed)
            {
                yield return new(Warning, $"{what} failed and is tried again: {transfer.LastError}");
            }
        }
    }

    public static IEnumerable<Finding> BucketTypes(ClusterFacts facts)
    {
        foreach (var type in facts.BucketTypes.BucketTypes_)
        {
            if (type.MissingOn.Count > 0)
            {
                yield return new(Warning, $"the bucket type {type.Name} in its present form is not seen on {string.Join(", ", type.MissingOn)}");
            }
            else if (type.State == BucketType.Types.State.Ready)
            {
                yield return new(Notice, $"the bucket type {type.Name} waits for its activation: kv admin bucket-type activate {type.Name}");
            }
        }
    }
}
