using System.Collections.Immutable;
using Kv.Core.Causality;

namespace Kv.Core.DataTypes;

/// <summary>What an event brought.</summary>
internal readonly record struct DottedEntry<T>(Dot Dot, T Value);

/// <summary>
/// Events that are still in force, each with what it brought, sorted (a "dot function": Almeida, Shoker, Baquero, Delta state replicated data types, 2018,
/// section 7). An event is gone for good where a clock covers it and it is not here.
/// </summary>
internal static class Dotted
{
    public static int Order<T>(DottedEntry<T> a, DottedEntry<T> b)
    {
        var byActor = a.Dot.Actor.CompareTo(b.Dot.Actor);
        return byActor != 0 ? byActor : a.Dot.Counter.CompareTo(b.Dot.Counter);
    }

    /// <summary>Those that both have, and of each side those that the other's clock does not cover.</summary>
    public static ImmutableArray<DottedEntry<T>> Join<T>(ImmutableArray<DottedEntry<T>> mine, ImmutableArray<DottedEntry<T>> theirs, VersionVector myClock, VersionVector theirClock)
    {
        // hot: as a rule both have the same one event.
        if (mine == theirs || (mine.Length == 1 && theirs.Length == 1 && mine[0].Dot == theirs[0].Dot))
        {
            return mine;
        }

        return SortedJoin.Of(
            mine,
            theirs,
            Order,
            (entry, out kept) => !theirClock.Covers((kept = entry).Dot),
            (entry, out kept) => !myClock.Covers((kept = entry).Dot),
            (entry, _, out kept) =>
            {
                kept = entry;
                return true;
            });
    }

    /// <summary>Those that the clock does not cover.</summary>
    public static ImmutableArray<DottedEntry<T>> Without<T>(this ImmutableArray<DottedEntry<T>> entries, VersionVector seen)
    {
        foreach (var entry in entries.AsSpan())
        {
            if (seen.Covers(entry.Dot))
            {
                return entries.RemoveAll(held => seen.Covers(held.Dot));
            }
        }

        return entries;
    }
}
