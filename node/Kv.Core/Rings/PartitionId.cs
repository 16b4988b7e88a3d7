using System.Globalization;
using System.Numerics;

namespace Kv.Core.Rings;

/// <summary>A partition's number on the ring, 0 to ring size - 1, clockwise.</summary>
public readonly record struct PartitionId(int Number) : IComparable<PartitionId>
{
    /// <summary>Riak's name of the partition: number × 2^160 / ring size, a big decimal integer (`reference: Riak 1.1`).</summary>
    public BigInteger Index(int ringSize) => Number * (BigInteger.One << 160) / ringSize;

    public int CompareTo(PartitionId other) => Number.CompareTo(other.Number);

    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(PartitionId left, PartitionId right) => left.Number < right.Number;

    public static bool operator <=(PartitionId left, PartitionId right) => left.Number <= right.Number;

    public static bool operator >(PartitionId left, PartitionId right) => left.Number > right.Number;

    public static bool operator >=(PartitionId left, PartitionId right) => left.Number >= right.Number;
}
