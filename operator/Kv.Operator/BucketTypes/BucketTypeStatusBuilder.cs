using Kv.Operator.Api.BucketTypes;
using static Kv.Operator.Api.Conditions;

namespace Kv.Operator.BucketTypes;

/// <summary>Status from what was observed. Pure.</summary>
internal static class BucketTypeStatusBuilder
{
    public static BucketTypeStatus Build(BucketType type, ObservedBucketType? observed, BucketTypeAction? action, string? error, string? refusal, DateTimeOffset now)
    {
        // What the cluster has under that name may be another object's, and is told there; or nobody's, and is left alone.
        var isAnothers = type.IsRenamed || observed?.Holder is not null;
        var isOurs = !isAnothers && (type.Status.State is not null || action is not BucketTypeAction.Refuse);
        var existing = isOurs ? observed?.Existing : null;
        var list = new ConditionList(type.Status.Conditions, type.Metadata.Generation, now);
        SetAccepted(list, type, observed, action, refusal);

        bool? exists = isAnothers ? false : observed?.Ring is not null ? existing is not null : null;
        list.Set(Created, exists, Because(exists, Reasons.NotCreated), exists == true ? "it is in the cluster's document" : Explain(action, refusal ?? error));

        var missing = existing?.MissingOn ?? [];
        var missingText = missing.Length == 0 ? "" : $"missing on {string.Join(", ", missing)}";
        var ready = exists == true ? existing!.State != BucketTypeState.Created && missing.Length == 0 : exists;
        list.Set(Ready, ready, Because(ready, exists == true ? Reasons.WaitingForNodes : Reasons.NotCreated), ready == true ? "every node has it" : missingText.Length > 0 ? missingText : Explain(action, refusal ?? error));

        var active = exists == true ? existing!.State == BucketTypeState.Active && missing.Length == 0 : exists;
        var notActive = exists != true ? (action as BucketTypeAction.Wait)?.Reason ?? Reasons.NotCreated : missing.Length > 0 ? Reasons.WaitingForNodes : Reasons.NotActive;
        list.Set(Active, active, Because(active, action is BucketTypeAction.Refuse refused && exists != true ? refused.Reason : notActive), active == true ? "clients can use it" : missingText.Length > 0 ? missingText : Explain(action, refusal ?? error));

        list.Set(ReconcileSuccess, error is null, error is null ? Reasons.AsExpected : Reasons.Error, error ?? "");
        var state = StateOf(type, observed, existing, action);
        return new BucketTypeStatus
        {
            ObservedGeneration = type.Metadata.Generation,
            Conditions = list.Conditions,
            Summary = StatusSummary.OfBucketType(list.Conditions),
            State = state,
            AcceptedName = state is null ? null : type.Status.AcceptedName ?? type.TypeName,
            AcceptedCluster = state is null ? null : type.Status.AcceptedCluster ?? type.Spec.ClusterRef.Name,
            MissingOn = missing.Length == 0 ? null : [.. missing],
        };
    }

    /// <summary>It is the memory of whose the type is: it stays while nobody tells of the type, ends where it is another's, and begins with what is done for this object, not with what was there before.</summary>
    private static string? StateOf(BucketType type, ObservedBucketType? observed, ExistingBucketType? existing, BucketTypeAction? action)
    {
        if (observed?.Holder is not null)
        {
            return null;
        }

        var isOurs = type.Status.State is not null || action is not (null or BucketTypeAction.Refuse or BucketTypeAction.Wait);
        return (isOurs ? existing?.State.ToString() : null) ?? type.Status.State;
    }

    private static void SetAccepted(ConditionList list, BucketType type, ObservedBucketType? observed, BucketTypeAction? action, string? refusal)
    {
        switch (action)
        {
            case BucketTypeAction.Refuse refuse:
                list.Set(Accepted, false, refuse.Reason, refuse.Message);
                break;
            case not null when refusal is not null:
                list.Set(Accepted, false, Reasons.RefusedByNodes, refusal);
                break;
            case null or BucketTypeAction.Wait:
                list.Set(Accepted, null, (action as BucketTypeAction.Wait)?.Reason ?? Reasons.NotObserved, Explain(action, null));
                break;
            case not null when observed?.Cluster is { } cluster && type.Spec.NVal > cluster.Spec.Nodes:
                list.Set(Accepted, false, Reasons.ClusterTooSmall, $"nVal is {type.Spec.NVal}, but {cluster.Metadata.Name} has {cluster.Spec.Nodes} nodes: copies share a node");
                break;
            default:
                list.Set(Accepted, true, Reasons.AsExpected, "");
                break;
        }
    }

    private static string Because(bool? holds, string otherwise) => holds == true ? Reasons.AsExpected : holds is null ? Reasons.NotObserved : otherwise;

    private static string Explain(BucketTypeAction? action, string? error) => error ?? action switch
    {
        BucketTypeAction.Wait wait => wait.Message,
        BucketTypeAction.Refuse refuse => refuse.Message,
        BucketTypeAction.Create => "being created",
        BucketTypeAction.Update => "being updated",
        BucketTypeAction.Activate => "being activated",
        BucketTypeAction.WaitForNodes => "waiting until every node has it",
        _ => "",
    };
}
