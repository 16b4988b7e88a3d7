using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>
/// A key that keeps one value, written by one worker alone. Of concurrent writes one wins by the clock of its coordinator, so what may be there in the end is
/// any write but those that an acknowledged one had seen, and those that had ended before an acknowledged one began, as far as clocks can be trusted.
/// </summary>
internal sealed class SingleKey(ObjectKey key)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Write> writes = new(StringComparer.Ordinal);

    public ObjectKey Key => key;

    public int Acknowledged
    {
        get
        {
            lock (gate)
            {
                return writes.Values.Count(write => write.IsAcknowledged);
            }
        }
    }

    /// <summary>One write that was tried. Times are seconds of the run; the end of one whose fate is unknown is not known either.</summary>
    internal sealed record Write(string Name, IReadOnlySet<string> Seen, bool IsDelete, double Begun)
    {
        public double Ended { get; set; } = double.PositiveInfinity;

        public bool IsAcknowledged { get; set; }
    }

    public Write Begin(string name, IReadOnlySet<string> seen, bool isDelete, double now)
    {
        lock (gate)
        {
            return writes[name] = new Write(name, seen, isDelete, now);
        }
    }

    public void Acknowledge(Write write, double now)
    {
        lock (gate)
        {
            (write.IsAcknowledged, write.Ended) = (true, now);
        }
    }

    public IReadOnlyList<string> Strangers(IEnumerable<string> values)
    {
        lock (gate)
        {
            return [.. values.Where(value => !writes.TryGetValue(value, out var write) || write.IsDelete)];
        }
    }

    /// <summary>What is wrong with the final state.</summary>
    /// <param name="clockError">Seconds by which two coordinators' clocks may have differed.</param>
    public IReadOnlyList<string> Violations(IReadOnlySet<string> present, double clockError)
    {
        lock (gate)
        {
            if (present.Count > 1)
            {
                return [$"holds {present.Count} values: {string.Join(", ", present)}"];
            }

            var acknowledged = writes.Values.Where(write => write.IsAcknowledged).ToList();
            if (present.Count == 0)
            {
                var explains = writes.Values.Where(write => write.IsDelete).Any(delete => acknowledged.All(write => MayWin(delete, write, clockError)));
                return acknowledged.Count == 0 || explains ? [] : [$"is gone, and no delete explains that; last acknowledged is {acknowledged[^1].Name}"];
            }

            return writes.TryGetValue(present.Single(), out var held) && !held.IsDelete
                ? [.. acknowledged.Where(write => !MayWin(held, write, clockError)).TakeLast(1).Select(write => $"is {held.Name}, which the acknowledged {write.Name} had replaced")]
                : [$"holds {present.Single()}, which nobody wrote"];
        }
    }

    private bool MayWin(Write winner, Write acknowledged, double clockError) =>
        winner == acknowledged || (winner.Ended + clockError >= acknowledged.Begun && !Descends(acknowledged, winner.Name));

    private bool Descends(Write write, string name)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(write.Seen);
        while (open.TryPop(out var seen))
        {
            if (seen == name)
            {
                return true;
            }

            if (known.Add(seen) && writes.TryGetValue(seen, out var older))
            {
                foreach (var before in older.Seen)
                {
                    open.Push(before);
                }
            }
        }

        return false;
    }
}
