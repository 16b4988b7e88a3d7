using System.Collections.Immutable;

namespace Kv.Core.DataTypes;

/// <summary>Joins of sorted lists in one pass: what every data type's merge comes down to.</summary>
internal static class SortedJoin
{
    /// <summary>What of an entry stays that only one side has; false for nothing.</summary>
    public delegate bool Alone<T>(T entry, out T kept);

    /// <summary>What of an entry stays that both sides have; false for nothing.</summary>
    public delegate bool Both<T>(T mine, T theirs, out T kept);

    /// <summary>An entry that stays as it is.</summary>
    public static bool Whole<T>(T entry, out T kept)
    {
        kept = entry;
        return true;
    }

    /// <summary>An entry that goes.</summary>
    public static bool Nothing<T>(T entry, out T kept)
    {
        kept = entry;
        return false;
    }

    // hot
    public static ImmutableArray<T> Of<T>(ImmutableArray<T> mine, ImmutableArray<T> theirs, Comparison<T> order, Alone<T> mineAlone, Alone<T> theirsAlone, Both<T> both)
    {
        var joined = ImmutableArray.CreateBuilder<T>(Math.Max(mine.Length, theirs.Length));
        int i = 0, j = 0;
        while (i < mine.Length || j < theirs.Length)
        {
            var which = i == mine.Length ? 1 : j == theirs.Length ? -1 : order(mine[i], theirs[j]);
            var stays = which switch
            {
                < 0 => mineAlone(mine[i++], out var kept) ? (true, kept) : default,
                > 0 => theirsAlone(theirs[j++], out var kept) ? (true, kept) : default,
                _ => both(mine[i++], theirs[j++], out var kept) ? (true, kept) : default,
            };
            if (stays is (true, var entry))
            {
                joined.Add(entry);
            }
        }

        return joined.ToImmutable();
    }

    /// <summary>What is left of each entry; the same list where nothing goes.</summary>
    public static ImmutableArray<T> Filter<T>(ImmutableArray<T> entries, Alone<T> alone)
    {
        var left = ImmutableArray.CreateBuilder<T>(entries.Length);
        foreach (var entry in entries)
        {
            if (alone(entry, out var kept))
            {
                left.Add(kept);
            }
        }

        return left.DrainToImmutable();
    }

    /// <summary>Puts an entry where it belongs, in place of the one that equals it in order.</summary>
    public static ImmutableArray<T> Put<T>(ImmutableArray<T> entries, T entry, Comparison<T> order)
    {
        var at = IndexOf(entries, entry, order);
        return at >= 0 ? entries.SetItem(at, entry) : entries.Insert(~at, entry);
    }

    /// <summary>The entry's position, or the complement of where it belongs.</summary>
    public static int IndexOf<T>(ImmutableArray<T> entries, T entry, Comparison<T> order)
    {
        var (low, high) = (0, entries.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var compared = order(entries[middle], entry);
            if (compared == 0)
            {
                return middle;
            }

            (low, high) = compared < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
