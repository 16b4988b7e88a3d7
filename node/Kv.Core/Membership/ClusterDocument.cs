using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Security;

namespace Kv.Core.Membership;

/// <summary>
/// All the small state that a cluster agrees on, in one immutable value with a version (design section 3). Version v + 1 is decided
/// by single-decree Paxos among the voting members of version v; nobody needs agreement to read the snapshot it holds. Changed only by
/// <see cref="DocumentChange"/>, so that every node that applies the same change to the same version has the same bytes.
/// </summary>
public sealed record ClusterDocument
{
    /// <summary>Drawn once when the cluster is made (for a Kubernetes cluster, its object's UID). Documents of two ids never meet.</summary>
    public required Guid ClusterId { get; init; }

    public required string ClusterName { get; init; }

    /// <summary>1 for the document a cluster begins with; each change adds one.</summary>
    public required long Version { get; init; }

    public required Ring Ring { get; init; }

    /// <summary>Sorted by id.</summary>
    public required ImmutableArray<Member> Members { get; init; }

    /// <summary>Sorted by node.</summary>
    public ImmutableArray<StagedChange> Staged { get; init; } = [];

    /// <summary>The plan that was committed last, so that a commit that is sent again is known.</summary>
    public string LastCommittedPlanId { get; init; } = "";

    /// <summary>By name; the type `default` is not among them (see <see cref="DefaultTypeProps"/>).</summary>
    public ImmutableSortedDictionary<string, BucketType> BucketTypes { get; init; } =
        ImmutableSortedDictionary.Create<string, BucketType>(StringComparer.Ordinal);

    /// <summary>What untyped buckets have until they are changed.</summary>
    public BucketProps DefaultTypeProps { get; init; } = BucketProps.DefaultType;

    /// <summary>Buckets whose properties differ from their type's; the whole set as Riak keeps it. Bounded by <see cref="MaxBuckets"/>.</summary>
    public ImmutableSortedDictionary<BucketName, BucketProps> Buckets { get; init; } = ImmutableSortedDictionary<BucketName, BucketProps>.Empty;

    /// <summary>Who may connect and do what. A document that says something of it has a format of its own (<see cref="ClusterDocumentCodec"/>).</summary>
    public SecurityState Security { get; init; } = SecurityState.Off;

    public const int MaxMembers = 256;
    public const int MaxBucketTypes = 1024;
    public const int MaxBuckets = 10_000;

    public Member? FindMember(NodeId id)
    {
        foreach (var member in Members)
        {
            if (member.Id == id)
            {
                return member;
            }
        }

        return null;
    }

    /// <summary>The properties in force for a bucket: its own, else its type's; null where the type does not exist or is not active.</summary>
    public BucketProps? EffectiveProps(BucketName bucket)
    {
        if (Buckets.TryGetValue(bucket, out var own))
        {
            // A bucket has its type's, which may have changed since.
            var ttl = BucketTypes.GetValueOrDefault(bucket.BucketType)?.Props.TtlSeconds;
            return own.TtlSeconds == ttl ? own : own with { TtlSeconds = ttl };
        }

        if (bucket.BucketType == ObjectKey.DefaultType)
        {
            return DefaultTypeProps;
        }

        return BucketTypes.TryGetValue(bucket.BucketType, out var type) && type.State == BucketTypeState.Active ? type.Props : null;
    }
}
