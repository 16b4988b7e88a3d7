using System.Collections.Immutable;
using System.Numerics;

namespace Kv.Core.Causality;

/// <summary>
/// What has been seen of a key's history: per actor, all its events up to a counter (Parker et al. 1983; Riak's vclock).
/// Immutable; entries sorted by actor, each actor once, counters at least 1. Comparisons use counters only; the times of the entries serve pruning.
/// Counters of one actor need not be dense on a key (a vnode counts over all its keys), so an entry (actor, n) says: of this actor's events
/// on this key, all whose counter is at most n. That is true as long as an actor never forgets an object that it coordinated; one that may
/// have (an unclean stop, a dropped partition) goes on as a new actor, with a higher epoch.
/// </summary>
public sealed class VersionVector : IEquatable<VersionVector>
{
    public static VersionVector Empty { get; } = new([]);

    internal VersionVector(ImmutableArray<ClockEntry> entries) => Entries = entries;

    public ImmutableArray<ClockEntry> Entries { get; }

    public bool IsEmpty => Entries.IsEmpty;

    /// <summary>A vector of entries in any order; of an actor that comes more than once, the highest counter holds. Entries of counter 0 say nothing and go.</summary>
    public static VersionVector FromEntries(IEnumerable<ClockEntry> entries)
    {
        var sorted = entries.Where(entry => entry.Counter != 0).OrderBy(entry => entry.Actor).ToArray();
        var distinct = ImmutableArray.CreateBuilder<ClockEntry>(sorted.Length);
        foreach (var entry in sorted)
        {
            if (distinct.Count > 0 && distinct[^1].Actor == entry.Actor)
            {
                distinct[^1] = Later(distinct[^1], entry);
            }
            else
            {
                distinct.Add(entry);
            }
        }

        return distinct.Count == 0 ? Empty : new VersionVector(distinct.ToImmutable());
    }

    /// <summary>The highest counter seen of an actor; 0 where none was.</summary>
    public ulong CounterOf(ActorId actor)
    {
        // hot: one to three entries as a rule, so that a scan beats a search.
        foreach (ref readonly var entry in Entries.AsSpan())
        {
            if (entry.Actor == actor)
            {
                return entry.Counter;
            }
        }

        return 0;
    }

    /// <summary>Whether the event was seen.</summary>
    public bool Covers(Dot dot) => CounterOf(dot.Actor) >= dot.Counter;

    /// <summary>Whether everything that <paramref name="other"/> saw was seen here too. Reflexive; everything descends the empty vector.</summary>
    public bool Descends(VersionVector other)
    {
        // hot: both are sorted, one pass.
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        var mine = Entries.AsSpan();
        var theirs = other.Entries.AsSpan();
        if (theirs.Length > mine.Length)
        {
            return false;
        }

        var i = 0;
        foreach (ref readonly var entry in theirs)
        {
            while (i < mine.Length && mine[i].Actor < entry.Actor)
            {
                i++;
            }

            if (i == mine.Length || mine[i].Actor != entry.Actor || mine[i].Counter < entry.Counter)
            {
                return false;
            }

            i++;
        }

        return true;
    }

    /// <summary>Descends and is not descended: strictly newer.</summary>
    public bool Dominates(VersionVector other) => Descends(other) && !other.Descends(this);

    /// <summary>Whether both saw exactly the same events, whatever times they noted for them.</summary>
    public bool SameHistory(VersionVector other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        var mine = Entries.AsSpan();
        var theirs = other.Entries.AsSpan();
        if (mine.Length != theirs.Length)
        {
            return false;
        }

        for (var i = 0; i < mine.Length; i++)
        {
            if (mine[i].Actor != theirs[i].Actor || mine[i].Counter != theirs[i].Counter)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Everything that either saw; of equal counters the later time.</summary>
    public VersionVector Merge(VersionVector other)
    {
        if (other.IsEmpty || ReferenceEquals(this, other))
        {
            return this;
        }

        if (IsEmpty)
        {
            return other;
        }

        var mine = Entries.AsSpan();
        var theirs = other.Entries.AsSpan();
        var merged = ImmutableArray.CreateBuilder<ClockEntry>(mine.Length + theirs.Length);
        int i = 0, j = 0;
        while (i < mine.Length && j < theirs.Length)
        {
            var order = mine[i].Actor.CompareTo(theirs[j].Actor);
            merged.Add(order switch
            {
                < 0 => mine[i++],
                > 0 => theirs[j++],
                _ => Later(mine[i++], theirs[j++]),
            });
        }

        merged.AddRange(mine[i..]);
        merged.AddRange(theirs[j..]);
        return new VersionVector(merged.DrainToImmutable());
    }

    /// <summary>Everything that both saw (riak_dt_vclock:glb); times are those of this one.</summary>
    public VersionVector GreatestLowerBound(VersionVector other)
    {
        if (other.Descends(this))
        {
            return this;
        }

        return FromEntries(Entries.Select(entry => entry with { Counter = Math.Min(entry.Counter, other.CounterOf(entry.Actor)) }));
    }

    /// <summary>
    /// With a new event of <paramref name="actor"/>. Throws <see cref="InvalidOperationException"/> if the event was seen already: a dot is
    /// never used twice, since the second write under it would pass for the first.
    /// </summary>
    public VersionVector Increment(ActorId actor, ulong counter, uint unixSeconds)
    {
        if (CounterOf(actor) >= counter)
        {
            throw new InvalidOperationException($"the event {counter} of {actor} is not new: {CounterOf(actor)} was seen already");
        }

        var entries = Entries.AsSpan();
        var i = 0;
        while (i < entries.Length && entries[i].Actor < actor)
        {
            i++;
        }

        var entry = new ClockEntry(actor, counter, unixSeconds);
        var replaces = i < entries.Length && entries[i].Actor == actor;
        return new VersionVector(replaces ? Entries.SetItem(i, entry) : Entries.Insert(i, entry));
    }

    /// <summary>
    /// Drops the oldest entries of a clock that has grown, one at a time, by Riak's rule: stop at <paramref name="small"/> entries; stop while the oldest is
    /// younger than <paramref name="youngSeconds"/>; drop it if there are more than <paramref name="big"/> or it is older than <paramref name="oldSeconds"/>; else
    /// stop. A clock that forgets makes false siblings, never false ancestors. Actors for which <paramref name="keep"/> is true
    /// stay: those of current siblings' dots, because an object that does not cover its own values could be taken for an ancestor of one that never saw them.
    /// </summary>
    public VersionVector Prune(int small, int big, int youngSeconds, int oldSeconds, uint nowUnixSeconds, Func<ActorId, bool> keep)
    {
        if (Entries.Length <= small)
        {
            return this;
        }

        var dropped = new HashSet<ActorId>();
        foreach (var entry in Entries.OrderBy(entry => entry.UnixSeconds).ThenBy(entry => entry.Actor))
        {
            var left = Entries.Length - dropped.Count;
            var ageSeconds = (long)nowUnixSeconds - entry.UnixSeconds;
            if (left <= small || ageSeconds < youngSeconds || (left <= big && ageSeconds <= oldSeconds))
            {
                break;
            }

            if (!keep(entry.Actor))
            {
                dropped.Add(entry.Actor);
            }
        }

        return dropped.Count == 0 ? this : new VersionVector(Entries.RemoveAll(entry => dropped.Contains(entry.Actor)));
    }

    /// <summary>A hash of actors and counters (not times) that is the same on every node and version: names one state of a key's history.</summary>
    public ulong StableHash()
    {
        var hash = 0x9E3779B97F4A7C15UL ^ (ulong)Entries.Length;
        foreach (ref readonly var entry in Entries.AsSpan())
        {
            hash = Mix(hash, entry.Actor.Node.Value);
            hash = Mix(hash, ((ulong)(uint)entry.Actor.Partition.Number << 32) | entry.Actor.Epoch);
            hash = Mix(hash, entry.Counter);
        }

        return hash;
    }

    /// <summary>Equal entries, times included, as Riak's `if_not_modified` compares; see <see cref="SameHistory"/> for causality alone.</summary>
    public bool Equals(VersionVector? other) =>
        other is not null && (ReferenceEquals(this, other) || Entries.AsSpan().SequenceEqual(other.Entries.AsSpan()));

    public override bool Equals(object? obj) => Equals(obj as VersionVector);

    public override int GetHashCode() => StableHash().GetHashCode();

    public override string ToString() => $"{{{string.Join(", ", Entries.Select(entry => $"{entry.Actor}:{entry.Counter}"))}}}";

    private static ClockEntry Later(ClockEntry a, ClockEntry b)
    {
        if (a.Counter != b.Counter)
        {
            return a.Counter > b.Counter ? a : b;
        }

        return a.UnixSeconds >= b.UnixSeconds ? a : b;
    }

    // A round of the splitmix64 finaliser over a rotated sum: cheap, and each input bit reaches every output bit.
    private static ulong Mix(ulong hash, ulong value)
    {
        var z = BitOperations.RotateLeft(hash, 23) + (value ^ 0xBF58476D1CE4E5B9UL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
