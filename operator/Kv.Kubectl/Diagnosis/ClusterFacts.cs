using Kv.Kubectl.Connections;
using Kv.Kubectl.Output;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Diagnosis;

/// <summary>All that the checks look at: a cluster as one member has it, and what each member that is up says.</summary>
internal sealed record ClusterFacts
{
    public required Cluster Cluster { get; init; }

    public BucketTypes BucketTypes { get; init; } = new();

    /// <summary>Preference lists of which no majority of primaries is alive, as the member sees it that answered.</summary>
    public IReadOnlyList<Preflist> Preflists { get; init; } = [];

    /// <summary>By the names of the members that are up; null where one did not answer.</summary>
    public SortedDictionary<string, MemberFacts?> Members { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Those that answered, in the order of names.</summary>
    public IEnumerable<(string Name, MemberFacts Facts)> Answers => Members.Where(member => member.Value is not null).Select(member => (member.Key, member.Value!));

    public IReadOnlyList<Transfer> Transfers => ToldTransfers.Merge(Answers.Select(answer => (answer.Name, answer.Facts.Transfers)));

    /// <summary>The most replicas that some bucket has.</summary>
    public int MostReplicas => BucketTypes.BucketTypes_.Select(BucketTypeOutput.NValOf).Concat(BucketTypes.StrictBuckets.Select(bucket => bucket.NVal)).DefaultIfEmpty(0).Max();

    public static async Task<ClusterFacts> AskAsync(NodeCaller caller, TimeProvider time, CancellationToken cancel)
    {
        var facts = new ClusterFacts
        {
            Cluster = await caller.AdminAsync((client, options) => client.GetClusterAsync(new GetClusterRequest(), options), cancel),
            BucketTypes = await caller.AdminAsync((client, options) => client.ListBucketTypesAsync(new ListBucketTypesRequest(), options), cancel),
        };
        var few = new GetPreflistsRequest { MostAlive = facts.MostReplicas / 2 };
        var lists = await caller.AdminAsync((client, options) => client.GetPreflistsAsync(few, options), cancel);
        return facts with
        {
            Preflists = [.. lists.Preflists_.Where(list => list.Alive <= list.NVal / 2)],
            Members = await EachMember.AskAsync(caller, facts.Cluster, (_, address, stop) => MemberFacts.AskAsync(caller, address, time, stop), cancel),
        };
    }
}
