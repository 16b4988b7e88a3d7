using System.Globalization;
using System.Text;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Objects;

namespace Kv.TestKit;

/// <summary>
/// Keeps the promise in view: every write gets a value of its own, with what its writer had seen. In the end each acknowledged write has to be a sibling,
/// or be covered by a write that is (or that was covered in turn); and nothing that an acknowledged write covered may be back. Also watches that no dot ever names two writes.
/// </summary>
public sealed class AcknowledgedWrites
{
    private readonly Dictionary<string, Write> writes = new(StringComparer.Ordinal);
    private readonly Dictionary<(ObjectKey Key, Dot Dot), string> dots = [];
    private int next;

    /// <summary>One write that was tried; a delete has a name and no value.</summary>
    public sealed record Write(string Name, ObjectKey Key, IReadOnlySet<string> Seen, bool IsDelete)
    {
        public bool IsAcknowledged { get; set; }

        public Sibling Content => new() { Dot = null, Value = Encoding.UTF8.GetBytes(Name) };
    }

    public int Acknowledged => writes.Values.Count(write => write.IsAcknowledged);

    public int Tried => writes.Count;

    public Write Begin(ObjectKey key, KvObject? seen, bool isDelete = false)
    {
        var name = (++next).ToString(CultureInfo.InvariantCulture);
        var write = new Write(name, key, seen is null ? new HashSet<string>() : NamesOf(key, seen), isDelete);
        writes.Add(name, write);
        return write;
    }

    public static void End(Write write, KvOutcome? outcome) => write.IsAcknowledged = outcome is KvOutcome.Stored or KvOutcome.Deleted;

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
        var ofKey = writes.Values.Where(write => write.Key.Equals(key)).ToArray();
        var violations = new List<string>();
        foreach (var write in ofKey.Where(write => write is { IsAcknowledged: true, IsDelete: false }))
        {
            if (!IsKept(write, present, ofKey, []))
            {
                violations.Add($"{key}: the acknowledged write {write.Name} is lost; present are {string.Join(", ", present)}");
            }
        }

        foreach (var write in ofKey.Where(write => write.IsAcknowledged))
        {
            violations.AddRange(write.Seen.Where(present.Contains).Select(back => $"{key}: {back} is back, which {write.Name} had replaced"));
        }

        return violations;
    }

    private static bool IsKept(Write write, HashSet<string> present, Write[] ofKey, HashSet<string> visited)
    {
        if (present.Contains(write.Name) || write.IsDelete)
        {
            // A delete leaves no value to look for; what it may have taken is checked from the other side.
            return true;
        }

        return visited.Add(write.Name) && ofKey.Any(later => later.Seen.Contains(write.Name) && IsKept(later, present, ofKey, visited));
    }
}
