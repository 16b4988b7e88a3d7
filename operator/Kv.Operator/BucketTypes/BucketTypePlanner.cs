using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Schema;
using Kv.Operator.Clusters;

namespace Kv.Operator.BucketTypes;

/// <summary>Decides the next step of a bucket type's life: create → ready → activate, and updates afterwards. Pure.</summary>
internal static class BucketTypePlanner
{
    /// <summary>Riak's own words for types: nobody can make one of these.</summary>
    private static readonly string[] Reserved = ["default", "any"];

    /// <summary>With a type's name: a person's word that this object may change an active type that is not known to be its own.</summary>
    public const string TakeOverAnnotation = "kv.dev/take-over";

    public static BucketTypeAction Next(BucketType type, ObservedBucketType observed)
    {
        if (RuleChecker.CheckEntity(type, null) is { Count: > 0 } problems)
        {
            return new BucketTypeAction.Refuse(Conditions.Reasons.InvalidSpec, string.Join("; ", problems));
        }

        if (type.IsRenamed)
        {
            return new BucketTypeAction.Refuse(
                Conditions.Reasons.ImmutableProperty,
                $"this object is the type {type.Status.AcceptedName} of {type.Status.AcceptedCluster}, which stays as it is: its name and cluster cannot be changed, and the type {type.TypeName} of {type.Spec.ClusterRef.Name} takes an object of its own");
        }

        if (Reserved.Contains(type.TypeName))
        {
            return new BucketTypeAction.Refuse(Conditions.Reasons.ReservedName, $"`{type.TypeName}` is not a name that a bucket type can have");
        }

        if (observed.Holder is { } holder)
        {
            return new BucketTypeAction.Refuse(Conditions.Reasons.NameConflict, ConflictWith(holder));
        }

        // Nodes would keep such a type as plain objects, which is not what was asked for.
        if (type.Spec.Consistent)
        {
            return new BucketTypeAction.Refuse(Conditions.Reasons.NotSupported, "consistent is not supported by this version");
        }

        if (observed.Cluster is not { } cluster)
        {
            return new BucketTypeAction.Wait(Conditions.Reasons.ClusterNotFound, $"there is no Cluster {type.Spec.ClusterRef.Name}");
        }

        if (observed.Existing is null && type.Spec.NVal > cluster.Spec.Nodes)
        {
            return new BucketTypeAction.Refuse(
                Conditions.Reasons.ClusterTooSmall, $"nVal is {type.Spec.NVal}, but {cluster.Metadata.Name} has {cluster.Spec.Nodes} nodes: copies would share a node");
        }

        if (observed.Ring is not { } ring || observed.AdminAddresses.Length == 0)
        {
            return new BucketTypeAction.Wait(Conditions.Reasons.ClusterNotReady, $"{cluster.Metadata.Name} has no ring that answers");
        }

        var next = NextOnNodes(type, observed.Existing, ring);
        return cluster.Spec.Paused && next is (BucketTypeAction.Create or BucketTypeAction.Update or BucketTypeAction.Activate)
            ? new BucketTypeAction.Wait(Conditions.Reasons.Paused, $"{cluster.Metadata.Name} is paused, and its bucket types with it")
            : next;
    }

    /// <summary>
    /// Which of several objects has the type that all of them ask for: the oldest, and of those the first by name, whoever looks and whenever, so that no two are carried out in
    /// turns. Null if it is <paramref name="type"/> itself.
    /// </summary>
    /// <param name="type">It asks for the type.</param>
    /// <param name="all">All of its namespace.</param>
    public static BucketTypeClaim? HolderBefore(BucketType type, IEnumerable<BucketTypeClaim> all)
    {
        var own = BucketTypeClaim.Of(type);
        var first = all
            .Where(one => one.Cluster == own.Cluster && one.TypeName == own.TypeName && one.Namespace == own.Namespace && !one.IsEnding)
            .OrderBy(one => one.MadeAt)
            .ThenBy(one => one.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return first is null || first.Name == own.Name ? null : first;
    }

    /// <summary>What an object is told whose type another asks for too, and was there first.</summary>
    public static string ConflictWith(BucketTypeClaim holder) => holder.Refusal is null
        ? $"BucketType {holder.Name} is the type {holder.TypeName} of {holder.Cluster} already"
        : $"BucketType {holder.Name} asks for the type {holder.TypeName} of {holder.Cluster} too and was there first, and is refused itself: {holder.Refusal}";

    /// <summary>
    /// Whether the type in the cluster is known to be this object's: it was accepted once, which its status keeps, and as this very type, or a person says so. Another object may have made it,
    /// or somebody with the command line.
    /// </summary>
    private static bool IsOurs(BucketType type) =>
        type.Status.State is not null || (type.Metadata.Annotations?.TryGetValue(TakeOverAnnotation, out var name) == true && name == type.TypeName);

    /// <summary>A precision above the default that nobody asks for any more is left: what is reduced cannot be brought back, so a person has to say it.</summary>
    private static void KeepPrecision(BucketTypeSpec spec, JsonObject wanted, JsonObject actual)
    {
        if (spec.HllPrecision is null && actual[BucketTypeProps.HllPrecision] is { } kept && kept.GetValue<int>() > BucketTypeSpec.DefaultHllPrecision)
        {
            wanted[BucketTypeProps.HllPrecision] = kept.DeepClone();
        }
    }

    private static BucketTypeAction NextOnNodes(BucketType type, ExistingBucketType? existing, ObservedRing ring)
    {
        var wanted = BucketTypeProps.ToRiak(type.Spec);
        if (existing is null)
        {
            // While nodes are joining, each change of the document would only be in the way of their plan.
            return ring.Staged.Length > 0
                ? new BucketTypeAction.Wait(Conditions.Reasons.ClusterNotReady, "nodes are about to join")
                : new BucketTypeAction.Create(wanted);
        }

        KeepPrecision(type.Spec, wanted, existing.Props);
        var isActive = existing.State == BucketTypeState.Active;
        if (isActive && BucketTypeProps.ImmutableDifferences(wanted, existing.Props) is { Count: > 0 } fixedOnes)
        {
            return new BucketTypeAction.Refuse(
                Conditions.Reasons.ImmutableProperty, $"the cluster has a type of this name that differs in what cannot be changed: {string.Join(", ", fixedOnes)}");
        }

        if (BucketTypeProps.Differences(wanted, existing.Props) is { Count: > 0 } differences)
        {
            if (isActive && !IsOurs(type))
            {
                return new BucketTypeAction.Refuse(
                    Conditions.Reasons.ExistingType,
                    $"the cluster has an active type of this name that differs ({string.Join(", ", differences)}), and this object never was that type; to have it changed, annotate this object with {TakeOverAnnotation}={type.TypeName}");
            }

            return isActive ? new BucketTypeAction.Update(BucketTypeProps.Changes(wanted, existing.Props)) : new BucketTypeAction.Create(wanted);
        }

        if (existing.MissingOn.Length > 0)
        {
            return new BucketTypeAction.WaitForNodes(existing.MissingOn);
        }

        return existing.State switch
        {
            BucketTypeState.Active => new BucketTypeAction.Steady(),
            BucketTypeState.Ready => new BucketTypeAction.Activate(),
            _ => new BucketTypeAction.WaitForNodes(existing.MissingOn),
        };
    }
}
