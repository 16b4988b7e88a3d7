using System.Collections.Immutable;
using System.Text.Json;
using Kv.Cluster.Peers;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Membership;

/// <summary>Bucket types and buckets' properties: created → ready (every member has it) → active (riak_core_bucket_type).</summary>
public sealed partial class ClusterAdmin
{
    /// <summary>Characters; longer property objects are refused unread.</summary>
    private const int MaxPropsJson = 64 * 1024;

    /// <summary>
    /// By type, the first version that this node saw it in its present form in: a member that shows that version or a newer one has the type. Swapped whole; a
    /// node that starts takes the version that it starts with, which errs on the late side.
    /// </summary>
    private volatile ImmutableDictionary<string, (BucketType Type, long Since)> typeVersions =
        ImmutableDictionary.Create<string, (BucketType Type, long Since)>(StringComparer.Ordinal);

    /// <summary>Objects of such a type would be kept as any others, with none of what the property promises.</summary>
    private static AdminRefusal NotConsistent { get; } =
        new(AdminRefusalKind.InvalidArgument, RefusalReason.InvalidProps, "consistent: this database has no strongly consistent bucket types; pr, pw and if_none_match are what it has to ask for more");

    /// <summary><paramref name="propsJson"/>: an object with Riak's property names.</summary>
    public async ValueTask<AdminResult<BucketTypeView>> CreateBucketTypeAsync(string name, string propsJson, CancellationToken cancel)
    {
        var props = Read(propsJson, BucketPropsRules.CreateType);
        if (!props.IsOk)
        {
            return props.Refusal;
        }

        if (props.Value.Consistent)
        {
            return NotConsistent;
        }

        return await WhyNotReadableAsync(BucketProps.NewType, props.Value, cancel) is { } early ? early
            : await ChangeAsync(new DocumentChange.CreateBucketType(name, props.Value), cancel) is { } refusal ? refusal : GetBucketType(name);
    }

    /// <summary>
    /// Refused `not_ready` with the members that have not shown that they hold the type, or do not say that they can keep objects of its backend; members marked down are not waited for.
    /// </summary>
    public async ValueTask<AdminResult<BucketTypeView>> ActivateBucketTypeAsync(string name, CancellationToken cancel)
    {
        var type = GetBucketType(name);
        if (type.IsOk && type.Value.Stage == BucketTypeStage.Created)
        {
            var missing = string.Join(", ", type.Value.MissingOn);
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NotReady, $"{name} has been created but cannot be activated yet: it is not seen on {missing}");
        }

        if (type.IsOk && type.Value is { Props.Consistent: true, Stage: not BucketTypeStage.Active })
        {
            return NotConsistent;
        }

        if (type.IsOk && WhetherKnown(type.Value.Props.StoreBackend) is { } question && state.Current.Document is { } document
            && await SilentAsync(document.Members.Where(m => m.State != MemberState.Down), question, cancel) is { Length: > 0 } silent)
        {
            return new AdminRefusal(
                AdminRefusalKind.FailedPrecondition,
                RefusalReason.NotReady,
                $"not all members say that they can keep objects of backend `{type.Value.Props.Backend}`: {silent}; upgrade them, or wait until they are up");
        }

        return await ChangeAsync(new DocumentChange.ActivateBucketType(name) { Props = type.IsOk ? type.Value.Props : null }, cancel) is { } refusal ? refusal : GetBucketType(name);
    }

    public async ValueTask<AdminResult<BucketTypeView>> UpdateBucketTypeAsync(string name, string propsJson, CancellationToken cancel)
    {
        var type = GetBucketType(name);
        if (!type.IsOk)
        {
            return type.Refusal;
        }

        if (name == ObjectKey.DefaultType)
        {
            // Whatever is asked of it, the document's rules say why not.
            return await ChangeAsync(new DocumentChange.UpdateBucketType(name, type.Value.Props), cancel) ?? (AdminResult<BucketTypeView>)type;
        }

        var props = Read(propsJson, change => BucketPropsRules.UpdateType(type.Value.Props, change));
        if (!props.IsOk)
        {
            return props.Refusal;
        }

        return await WhyNotReadableAsync(type.Value.Props, props.Value, cancel) is { } early ? early
            : await ChangeAsync(new DocumentChange.UpdateBucketType(name, props.Value), cancel) is { } refusal ? refusal : GetBucketType(name);
    }

    /// <summary>Refused `undefined` where there is none of that name.</summary>
    public AdminResult<BucketTypeView> GetBucketType(string name)
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document)
        {
            return NotInCluster;
        }

        if (name == ObjectKey.DefaultType)
        {
            return new BucketTypeView(name, BucketTypeStage.Active, document.DefaultTypeProps, []);
        }

        return document.BucketTypes.TryGetValue(name, out var type)
            ? ViewOf(document, type)
            : new AdminRefusal(AdminRefusalKind.NotFound, RefusalReason.Undefined, $"{name} is not an existing bucket type");
    }

    public AdminResult<BucketTypesView> ListBucketTypes()
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        var standard = new BucketTypeView(ObjectKey.DefaultType, BucketTypeStage.Active, document.DefaultTypeProps, []);
        return new BucketTypesView([standard, .. document.BucketTypes.Values.Select(type => ViewOf(document, type))], StrictBuckets(document));
    }

    /// <summary>What is in force for a bucket; refused `undefined` where its type does not exist or is not active.</summary>
    public AdminResult<BucketProps> GetBucketProps(BucketName bucket)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        return document.EffectiveProps(bucket) is { } props
            ? props
            : new AdminRefusal(AdminRefusalKind.NotFound, RefusalReason.Undefined, $"there is no active bucket type named {bucket.BucketType}");
    }

    public async ValueTask<AdminResult<BucketProps>> SetBucketPropsAsync(BucketName bucket, string propsJson, CancellationToken cancel)
    {
        var current = GetBucketProps(bucket);
        if (!current.IsOk)
        {
            return current;
        }

        var props = Read(propsJson, change => bucket.BucketType == ObjectKey.DefaultType
            ? BucketPropsRules.SetUntypedBucket(current.Value, change)
            : BucketPropsRules.SetBucketInType(current.Value, change));
        if (!props.IsOk)
        {
            return props;
        }

        return await WhyNotReadableAsync(current.Value, props.Value, cancel) is { } early ? early
            : await ChangeAsync(new DocumentChange.SetBucketProps(bucket, props.Value), cancel) is { } refusal ? refusal : GetBucketProps(bucket);
    }

    /// <summary>Takes the bucket's own properties away; answers with its type's.</summary>
    public async ValueTask<AdminResult<BucketProps>> ResetBucketPropsAsync(BucketName bucket, CancellationToken cancel)
    {
        var current = GetBucketProps(bucket);
        if (!current.IsOk)
        {
            return current;
        }

        return await ChangeAsync(new DocumentChange.ResetBucketProps(bucket), cancel) is { } refusal ? refusal : GetBucketProps(bucket);
    }

    /// <summary>For each n_val the bucket that asks for most: there may be thousands, and the others say nothing more of what has to stay up.</summary>
    private static ImmutableArray<StrictBucket> StrictBuckets(ClusterDocument document) =>
    [
        .. document.Buckets
            .Select(bucket => new StrictBucket(bucket.Key, bucket.Value.NVal, bucket.Value.LargestQuorum))
            .GroupBy(bucket => bucket.NVal)
            .Select(same => same.MaxBy(bucket => bucket.Quorum)!)
            .OrderBy(bucket => bucket.NVal),
    ];

    private BucketTypeView ViewOf(ClusterDocument document, BucketType type)
    {
        var since = typeVersions.TryGetValue(type.Name, out var known) && IsSame(known.Type, type) ? known.Since : document.Version;
        ImmutableArray<string> missing = [.. gossip.Behind(document, since, m => m.State != MemberState.Down).Select(m => m.Name)];
        var stage = (type.State, missing.IsEmpty) switch
        {
            (BucketTypeState.Active, _) => BucketTypeStage.Active,
            (_, true) => BucketTypeStage.Ready,
            _ => BucketTypeStage.Created,
        };
        return new BucketTypeView(type.Name, stage, type.Props, missing);
    }

    private void FollowBucketTypes(ClusterSnapshot snapshot)
    {
        if (snapshot.Document is not { } document)
        {
            return;
        }

        var next = typeVersions;
        foreach (var type in document.BucketTypes.Values)
        {
            if (!next.TryGetValue(type.Name, out var known) || !IsSame(known.Type, type))
            {
                next = next.SetItem(type.Name, (type, document.Version));
            }
        }

        typeVersions = next;
    }

    /// <summary>By content: a document that was read again holds other arrays, and a record compares those by identity.</summary>
    private static bool IsSame(BucketType a, BucketType b) =>
        ReferenceEquals(a, b)
        || (a.State == b.State
            && a.Props.PreCommit.SequenceEqual(b.Props.PreCommit)
            && a.Props.PostCommit.SequenceEqual(b.Props.PostCommit)
            && a.Props with { PreCommit = b.Props.PreCommit, PostCommit = b.Props.PostCommit } == b.Props);

    /// <summary>A member that does not know what is new in the properties could not read the document that has them, down or not.</summary>
    private async ValueTask<AdminRefusal?> WhyNotReadableAsync(BucketProps before, BucketProps after, CancellationToken cancel)
    {
        if (after.TtlSeconds is not null && before.TtlSeconds is null && await WhyUnknownAsync("`ttl`", new PeerRequest.KnowsExpiry(), cancel) is { } refusal)
        {
            return refusal;
        }

        return after.HasCommitHooks && !before.HasCommitHooks ? await WhyUnknownAsync("commit hooks", new PeerRequest.KnowsHooks(), cancel) : null;
    }

    private async ValueTask<AdminRefusal?> WhyUnknownAsync(string what, PeerRequest question, CancellationToken cancel) =>
        state.Current.Document is { } document && await SilentAsync(document.Members, question, cancel) is { Length: > 0 } silent
            ? new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NotReady, $"not all members say that they know {what}: {silent}; upgrade them, or wait until they are up")
            : null;

    /// <summary>What every member is asked before a type has data in a backend; null for the one that there always was.</summary>
    private static PeerRequest? WhetherKnown(StoreBackend backend) => backend switch
    {
        StoreBackend.Ordered => new PeerRequest.KnowsOrdered(),
        StoreBackend.Memory => new PeerRequest.KnowsMemory(),
        _ => null,
    };

    private static AdminResult<BucketProps> Read(string propsJson, Func<JsonElement, BucketPropsResult> rules)
    {
        if (propsJson.Length > MaxPropsJson)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, RefusalReason.InvalidProps, $"properties of {propsJson.Length} characters; at most {MaxPropsJson}");
        }

        try
        {
            using var json = JsonDocument.Parse(propsJson.Length == 0 ? "{}" : propsJson);
            var result = rules(json.RootElement);
            return result.Props is { } props
                ? props
                : new AdminRefusal(AdminRefusalKind.InvalidArgument, RefusalReason.InvalidProps, string.Join("; ", result.Problems));
        }
        catch (JsonException e)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, RefusalReason.InvalidProps, $"not JSON: {e.Message}");
        }
    }
}
