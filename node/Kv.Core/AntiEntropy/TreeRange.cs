using Kv.Core.Rings;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// The keys whose first partition is <paramref name="First"/> in buckets of <paramref name="NVal"/> replicas: those that the same vnodes hold, so that two of these
/// can compare them as one set (Riak's index_n). Those that are kept in memory alone (<paramref name="IsVolatile"/>) are a set of their own, whose tree goes with them when the process ends.
/// </summary>
public readonly record struct TreeRange(PartitionId First, int NVal, bool IsVolatile = false) : IComparable<TreeRange>
{
    /// <summary>Whether the partition's vnode holds the range's keys.</summary>
    public bool IsHeldBy(PartitionId partition, int ringSize) => ((partition.Number - First.Number) & (ringSize - 1)) < Math.Min(NVal, ringSize);

    public int CompareTo(TreeRange other) => First != other.First ? First.CompareTo(other.First)
        : NVal != other.NVal ? NVal.CompareTo(other.NVal)
        : IsVolatile.CompareTo(other.IsVolatile);

    public override string ToString() => FormattableString.Invariant($"{First}/{NVal}{(IsVolatile ? " in memory" : "")}");

    public static bool operator <(TreeRange left, TreeRange right) => left.CompareTo(right) < 0;

    public static bool operator <=(TreeRange left, TreeRange right) => left.CompareTo(right) <= 0;

    public static bool operator >(TreeRange left, TreeRange right) => left.CompareTo(right) > 0;

    public static bool operator >=(TreeRange left, TreeRange right) => left.CompareTo(right) >= 0;
}
