using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Simulation.Plans;
using Kv.Simulation.Running;
using Kv.TestKit;

namespace Kv.Simulation.Checkers;

/// <summary>
/// Which write may take the place of which in a key of a bucket that keeps one value, by what the stores were given: the newer one; with last_write_wins also one that came later, since its
/// coordinator does not look; in a write-once bucket the one that wins everywhere.
/// </summary>
internal sealed class Replacements(BucketRule rule)
{
    private static readonly BucketProps WriteOnceProps = BucketProps.NewType with { WriteOnce = true };

    private readonly Dictionary<string, List<Sibling>> stored = new(StringComparer.Ordinal);
    private long newestDelete = long.MinValue;

    /// <summary>A store was given this for the key.</summary>
    public void Saw(KvObject held)
    {
        foreach (var sibling in held.Siblings)
        {
            if (sibling.IsTombstone)
            {
                newestDelete = Math.Max(newestDelete, sibling.LastModifiedMicroseconds);
                continue;
            }

            var name = OutcomeText.ValueOf(sibling);
            if (!stored.TryGetValue(name, out var forms))
            {
                stored.Add(name, forms = []);
            }

            if (!forms.Exists(form => form.IsSameWrite(sibling)))
            {
                forms.Add(sibling);
            }
        }
    }

    public bool May(KeyHistory.Write by, KeyHistory.Write replaced) => rule switch
    {
        BucketRule.LastWriteWins => IsNewer(by, replaced) || by.Ended > replaced.Began,
        BucketRule.WriteOnce => by.IsDelete || Wins(by, replaced),
        _ => IsNewer(by, replaced),
    };

    /// <summary>One that no store took was replaced in the very turn in which it came.</summary>
    private bool IsNewer(KeyHistory.Write by, KeyHistory.Write replaced)
    {
        var newest = by.IsDelete ? newestDelete : FormsOf(by).Select(form => form.LastModifiedMicroseconds).DefaultIfEmpty(long.MinValue).Max();
        return newest > long.MinValue && (FormsOf(replaced) is not { Count: > 0 } forms || forms.Exists(form => form.LastModifiedMicroseconds <= newest));
    }

    /// <summary>One that no store took had lost everywhere, when it came.</summary>
    private bool Wins(KeyHistory.Write by, KeyHistory.Write replaced) =>
        FormsOf(by).Exists(form => FormsOf(replaced) is not { Count: > 0 } others || others.Exists(other => Beats(form, other)));

    private static bool Beats(Sibling one, Sibling other)
    {
        var winner = KvObject.WriteOnce(one);
        return ReferenceEquals(KvObject.MergeReplica(winner, KvObject.WriteOnce(other), WriteOnceProps), winner);
    }

    private List<Sibling> FormsOf(KeyHistory.Write write) => stored.GetValueOrDefault(write.Name) ?? [];
}
