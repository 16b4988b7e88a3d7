using System.Text;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using static Kv.Core.Membership.DocumentRules;

namespace Kv.Core.Membership;

/// <summary>The life of bucket types and of buckets' own properties (riak_core_bucket_type; Riak 4.2). Properties come here whole and valid.</summary>
internal static class BucketTypeRules
{
    /// <summary>Riak keeps this name for itself.</summary>
    private const string ReservedName = "any";

    public static DocumentChangeResult Create(ClusterDocument document, string name, BucketProps props)
    {
        if (name == ObjectKey.DefaultType)
        {
            return Refused(RefusalReason.DefaultType, "the type `default` exists without being created");
        }

        if (WhyInvalidName(name) is { } why)
        {
            return Refused(RefusalReason.InvalidName, why);
        }

        if (DocumentJson.WhyUnreadable(props) is { } problem)
        {
            return Refused(RefusalReason.InvalidProps, problem);
        }

        if (document.BucketTypes.TryGetValue(name, out var known))
        {
            return known.State == BucketTypeState.Active
                ? Refused(RefusalReason.AlreadyActive, $"the bucket type {name} is active already; change it by an update")
                : WithType(document, known with { Props = props });
        }

        return document.BucketTypes.Count < ClusterDocument.MaxBucketTypes
            ? WithType(document, new BucketType(name, BucketTypeState.Created, props))
            : Refused(RefusalReason.TooManyBucketTypes, $"the cluster has {ClusterDocument.MaxBucketTypes} bucket types, the most there can be");
    }

    public static DocumentChangeResult Activate(ClusterDocument document, string name, BucketProps? props) => document.BucketTypes.GetValueOrDefault(name) switch
    {
        null when name == ObjectKey.DefaultType => Unchanged,
        null => Undefined(name),
        { State: BucketTypeState.Created } type when props is not null && !SameProps(type.Props, props) =>
            Refused(RefusalReason.NotReady, $"the bucket type {name} was created anew meanwhile; activate it once its members have it as it is now"),
        var type => WithType(document, type with { State = BucketTypeState.Active }),
    };

    public static DocumentChangeResult Update(ClusterDocument document, string name, BucketProps props)
    {
        if (name == ObjectKey.DefaultType)
        {
            return Refused(RefusalReason.NoDefaultUpdate, "the properties of the type `default` are the nodes' configuration");
        }

        if (!document.BucketTypes.TryGetValue(name, out var type))
        {
            return Undefined(name);
        }

        if (type.State != BucketTypeState.Active)
        {
            return Refused(RefusalReason.NotActive, $"the bucket type {name} is not active; create it anew with other properties instead");
        }

        return WhyRefused(type.Props, props) is { } why
            ? Refused(RefusalReason.InvalidProps, why)
            : WithType(document, type with { Props = props });
    }

    public static DocumentChangeResult SetBucket(ClusterDocument document, BucketName bucket, BucketProps props)
    {
        if (bucket.Bucket.Length is 0 or > ObjectKey.MaxBucketBytes)
        {
            return Refused(RefusalReason.InvalidName, $"a bucket's name has 1 to {ObjectKey.MaxBucketBytes} bytes");
        }

        if (document.EffectiveProps(bucket) is not { } before)
        {
            return Undefined(bucket.BucketType);
        }

        if (WhyRefused(before, props) is { } why)
        {
            return Refused(RefusalReason.InvalidProps, why);
        }

        if (document.Buckets.TryGetValue(bucket, out var own))
        {
            return SameProps(own, props) ? Unchanged : Changed(document, document with { Buckets = document.Buckets.SetItem(bucket, props) });
        }

        return document.Buckets.Count < ClusterDocument.MaxBuckets
            ? Changed(document, document with { Buckets = document.Buckets.Add(bucket, props) })
            : Refused(RefusalReason.TooManyBuckets, $"{ClusterDocument.MaxBuckets} buckets have properties of their own, the most there can be; use bucket types");
    }

    public static DocumentChangeResult ResetBucket(ClusterDocument document, BucketName bucket)
    {
        if (!document.Buckets.TryGetValue(bucket, out var own))
        {
            return Unchanged;
        }

        var without = document with { Buckets = document.Buckets.Remove(bucket) };
        return without.EffectiveProps(bucket) is { } props && WhyRefused(own, props) is { } why
            ? Refused(RefusalReason.InvalidProps, why)
            : Changed(document, without);
    }

    private static DocumentChangeResult WithType(ClusterDocument document, BucketType type)
    {
        var same = document.BucketTypes.TryGetValue(type.Name, out var known) && known.State == type.State && SameProps(known.Props, type.Props);
        return same ? Unchanged : Changed(document, document with { BucketTypes = document.BucketTypes.SetItem(type.Name, type) });
    }

    private static DocumentChangeResult Undefined(string name) => Refused(RefusalReason.Undefined, $"there is no active bucket type named {name}");

    private static string? WhyInvalidName(string name)
    {
        if (name == ReservedName)
        {
            return $"the name {ReservedName} is reserved";
        }

        return name.Length == 0 || Encoding.UTF8.GetByteCount(name) > ObjectKey.MaxTypeBytes
            ? $"a bucket type's name has 1 to {ObjectKey.MaxTypeBytes} bytes"
            : null;
    }

    /// <summary>
    /// What may not change once data can exist under it, in the words of the properties' own rules. Properties that a document could not be read
    /// with must never be decided, whoever made them.
    /// </summary>
    private static string? WhyRefused(BucketProps before, BucketProps after)
    {
        var problems = BucketPropsRules.CheckImmutable(before, after);
        return problems.IsEmpty ? DocumentJson.WhyUnreadable(after) : string.Join("; ", problems);
    }

    /// <summary>Equal by content: a record's own equality compares its arrays by identity.</summary>
    private static bool SameProps(BucketProps a, BucketProps b) =>
        a.PreCommit.SequenceEqual(b.PreCommit)
        && a.PostCommit.SequenceEqual(b.PostCommit)
        && a with { PreCommit = b.PreCommit, PostCommit = b.PostCommit } == b;
}
