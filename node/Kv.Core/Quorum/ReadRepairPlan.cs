using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Core.Quorum;

/// <summary>
/// What to do when the answers to a read are in (reference 2.4 step 6). A replica is repaired if it has no object, or another than the merged one:
/// not only where its clock is behind, since copies of one history can differ in buckets without siblings, or by damage, down to the times that clocks note. Repair sends the merged object as it is: no
/// event, no pruning. A replica that failed is not repaired: what it has is not known.
/// </summary>
/// <param name="Merged">The truth as far as known; null where no replica has an object, and then nothing is to be done.</param>
/// <param name="Repairs">Whom to send the merged object: positions of the answers.</param>
/// <param name="MayReap">
/// Whether the tombstone may be removed for good: all n_val answered, all are primaries, and each holds exactly this tombstone. Stricter than Riak, which sends
/// repair and reap together.
/// </param>
public sealed record ReadRepairPlan(KvObject? Merged, ImmutableArray<int> Repairs, bool MayReap)
{
    /// <summary>Every replica that was asked has answered, and every one that was sent the merged object has taken it. Set by whoever carries the plan out.</summary>
    public bool IsDone { get; init; }

    /// <summary>The repair needs values that only heads were read of: fetch the whole objects, and plan anew.</summary>
    public bool NeedsValues => !Repairs.IsEmpty && Merged is { IsHead: true };

    /// <summary>Plans from one answer per place of the preference list. <paramref name="nVal"/> is the request's, which for a reap must be the bucket's.</summary>
    public static ReadRepairPlan Create(ReadOnlySpan<ReplicaAnswer> answers, int nVal, BucketProps props)
    {
        var copies = new KvObject?[answers.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            copies[i] = answers[i].Object;
        }

        if (KvObject.Reconcile(copies, props) is not { } merged)
        {
            return new ReadRepairPlan(null, [], false);
        }

        var repairs = ImmutableArray.CreateBuilder<int>();
        var alike = 0;
        for (var i = 0; i < answers.Length; i++)
        {
            var answer = answers[i];
            if (answer.Object is { } held ? !(held.IsSameAs(merged) && held.Clock.Equals(merged.Clock)) : answer.Kind == GetReplyKind.NotFound)
            {
                repairs.Add(i);
            }

            alike += answer.Entry.IsPrimary && answer.Object is not null ? 1 : 0;
        }

        var mayReap = merged.IsTombstone
            && repairs.Count == 0
            && alike == answers.Length
            && answers.Length == props.NVal
            && nVal == props.NVal
            && !props.DeleteMode.Keeps;
        return new ReadRepairPlan(merged, repairs.ToImmutable(), mayReap);
    }
}
