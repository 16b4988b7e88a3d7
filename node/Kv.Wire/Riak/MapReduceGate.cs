using Kv.Cluster;
using Kv.Core.MapReduce;
using Kv.Core.Objects;
using Kv.Core.Security;
using Kv.Wire.Access;

namespace Kv.Wire.Riak;

/// <summary>
/// Which jobs a client may have run (riak_kv_mapred_term:get_required_permissions; reference 11.3): of the buckets that it names, and of those that its phases come to name, which Riak does not ask about.
/// </summary>
internal sealed class MapReduceGate(AccessControl access)
{
    /// <summary>Null where this node does such work, and for the user on any bucket at all: asked before a job is read.</summary>
    public string? WhyNotRead(AccessUser? user) => access.WhyDisabled(JobClass.MapReduce) ?? access.WhyDeniedEverywhere(user, Permissions.MapReduce);

    /// <summary>Null where the job may be run for the user; nobody is null, and may where security is off.</summary>
    public string? WhyRefused(MapReduceJob job, AccessUser? user)
    {
        if (ClassesOf(job).Select(access.WhyDisabled).FirstOrDefault(why => why is not null) is { } disabled)
        {
            return disabled;
        }

        if (!access.IsOn)
        {
            return null;
        }

        return job.Phases.Any(phase => phase is MapReducePhase.Link)
            ? "Link walking is deprecated in Riak 2.0 and is not compatible with security."
            : Needed(job.Inputs).Select(need => access.WhyDenied(user, need.Permissions, GrantScope.OfBucket(need.Bucket))).FirstOrDefault(why => why is not null);
    }

    /// <summary>What the job asks while it runs.</summary>
    public MapReduceCaller CallerOf(AccessUser? user, MapReduceRoom room) => new()
    {
        WhyDenied = bucket => access.WhyDenied(user, Permissions.MapReduce, GrantScope.OfBucket(bucket)),
        TryHold = room.TryHold,
    };

    /// <summary>Beside its own: where listings and queries are switched off, a job is no way around it.</summary>
    private static IEnumerable<JobClass> ClassesOf(MapReduceJob job)
    {
        if (job.UsesJavaScript)
        {
            yield return JobClass.MapReduceJs;
        }

        switch (job.Inputs)
        {
            case MapReduceInputs.Listing:
                yield return JobClass.ListKeys;
                break;
            case MapReduceInputs.Index:
                yield return JobClass.SecondaryIndex;
                break;
        }
    }

    private static IEnumerable<(Permissions Permissions, BucketName Bucket)> Needed(MapReduceInputs inputs) => inputs switch
    {
        MapReduceInputs.Listing listing => [(Permissions.ListKeys | Permissions.MapReduce, listing.Bucket)],
        MapReduceInputs.Index index => [(Permissions.Index | Permissions.MapReduce, index.Query.Bucket)],
        MapReduceInputs.Keys keys => keys.Addresses.Select(address => new BucketName(address.Key.BucketType, address.Key.Bucket)).Distinct().Order().Select(bucket => (Permissions.MapReduce, bucket)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
