using Kv.Core.Rings;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// The keys whose first partition is <paramref name="First"/> in buckets of <paramref name="NVal"/> replicas: those that the same vnodes hold, so that two of these
/// can compare them as one set (Riak's index_n).
/// </summary>
public readonly record struct TreeRange(PartitionId First, int NVal) : IComparable<TreeRange>
{
    public const int MaxNVal = 255;

    /// <summary>Whether the partition's vnode holds the range's keys.</summary>
    public bool IsHeldBy(PartitionId partition, int ringSize) => ((partition.Number - First.Number) & (ringSize - 1)) < Math.Min(NVal, ringSize);

    public int CompareTo(TreeRange other) => First != other.First ? First.CompareTo(other.First) : NVal.CompareTo(other.NVal);

    public override string ToString() => FormattableString.Invariant($"{First}/{NVal}");

    public static bool operator <(TreeRange left, TreeRange right) => left.CompareTo(right) < 0;

    public static bool operator <=(TreeRange left, TreeRange right) => left.CompareTo(right) <= 0;

    public static bool operator >(TreeRange left, TreeRange right) => left.CompareTo(right) > 0;

    public static bool operator >=(TreeRange left, TreeRange right) => left.CompareTo(right) >= 0;
}
