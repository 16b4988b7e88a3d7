using System.Globalization;
using System.Text;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Objects;

namespace Kv.TestKit;

/// <summary>
/// Keeps the promise in view: every write gets a value of its own, with what its writer had seen, and goes into its key's <see cref="KeyHistory"/>. Also watches
/// that no dot ever names two writes.
/// </summary>
public sealed class AcknowledgedWrites
{
    private readonly Dictionary<ObjectKey, KeyHistory> histories = [];
    private readonly Dictionary<(ObjectKey Key, Dot Dot), string> dots = [];
    private int next;

    public int Acknowledged => histories.Values.Sum(history => history.Writes.Count(write => write.IsAcknowledged));

    public int Tried => next;

    public KeyHistory.Write Begin(ObjectKey key, KvObject? seen, bool isDelete = false)
    {
        var name = (++next).ToString(CultureInfo.InvariantCulture);
        if (!histories.TryGetValue(key, out var history))
        {
            histories.Add(key, history = new KeyHistory());
        }

        return history.Begin(name, seen is null ? new HashSet<string>() : NamesOf(key, seen), isDelete);
    }

    public static void End(KeyHistory.Write write, KvOutcome? outcome) => write.IsAcknowledged = outcome is KvOutcome.Stored or KvOutcome.Deleted;

    /// <summary>What the write puts: its own name.</summary>
    public static Sibling ContentOf(KeyHistory.Write write) => new() { Dot = null, Value = Encoding.UTF8.GetBytes(write.Name) };

    /// <summary>The writes whose values the object shows.</summary>
    public HashSet<string> NamesOf(ObjectKey key, KvObject held)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sibling in held.Siblings)
        {
            var name = sibling.IsTombstone ? "(tombstone)" : Encoding.UTF8.GetString(sibling.Value.Span);
            if (sibling.Dot is { } dot && dots.TryGetValue((key, dot), out var known) && known != name)
            {
                throw new InvalidOperationException($"{key}: the dot {dot} names both {known} and {name}");
            }

            if (sibling.Dot is { } held2)
            {
                dots[(key, held2)] = name;
            }

            if (!sibling.IsTombstone)
            {
                names.Add(name);
            }
        }

        return names;
    }

    /// <summary>What is wrong with the key's final state; empty where the promise was kept.</summary>
    public IReadOnlyList<string> Violations(ObjectKey key, KvOutcome final)
    {
        if (final is not (KvOutcome.Found or KvOutcome.NotFound))
        {
            return [$"{key}: the last read gave {final}"];
        }

        var present = final is KvOutcome.Found found ? NamesOf(key, found.Object) : [];
        return histories.TryGetValue(key, out var history) ? [.. history.Violations(present).Select(problem => $"{key}: {problem}")] : [];
    }
}
