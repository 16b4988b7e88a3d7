using System.Numerics;

namespace Kv.Cluster;

/// <summary>
/// Counts values in buckets whose bounds grow by a quarter of a power of two, so that a percentile is right to 25 percent in a fixed 2 KiB. The unit is
/// its user's. Safe from any thread; a reading may miss values that are being added.
/// </summary>
public sealed class KvHistogram
{
    private const int SubBits = 2;
    private const int Buckets = 64 << SubBits;

    private readonly long[] counts = new long[Buckets];
    private long sum;
    private long maximum;

    public long Count
    {
        get
        {
            var count = 0L;
            foreach (var bucket in counts)
            {
                count += bucket;
            }

            return count;
        }
    }

    public long Sum => Volatile.Read(ref sum);

    public long Maximum => Volatile.Read(ref maximum);

    // hot
    public void Add(long value)
    {
        value = Math.Max(value, 0);
        Interlocked.Increment(ref counts[BucketOf(value)]);
        Interlocked.Add(ref sum, value);
        var seen = Volatile.Read(ref maximum);
        while (value > seen && Interlocked.CompareExchange(ref maximum, value, seen) is var now && now != seen)
        {
            seen = now;
        }
    }

    /// <summary>A copy of the counts, for the difference between two moments: what was added in a window.</summary>
    public long[] ToCounts() => [.. counts];

    /// <summary>The value that <paramref name="fraction"/> of all values do not exceed, by the upper bound of its bucket; 0 where there are none.</summary>
    public long Percentile(double fraction) => Percentile(counts, fraction);

    /// <summary>The same of counts, or of the difference of two <see cref="ToCounts"/>.</summary>
    public static long Percentile(ReadOnlySpan<long> counts, double fraction)
    {
        var total = 0L;
        foreach (var count in counts)
        {
            total += count;
        }

        var wanted = (long)Math.Ceiling(total * fraction);
        var seen = 0L;
        for (var bucket = 0; bucket < counts.Length && total > 0; bucket++)
        {
            seen += counts[bucket];
            if (seen >= wanted && seen > 0)
            {
                return UpperBound(bucket);
            }
        }

        return 0;
    }

    private static int BucketOf(long value)
    {
        if (value < 1 << SubBits)
        {
            return (int)value;
        }

        var exponent = BitOperations.Log2((ulong)value);
        return ((exponent - SubBits + 1) << SubBits) + (int)((value >> (exponent - SubBits)) & ((1 << SubBits) - 1));
    }

    private static long UpperBound(int bucket)
    {
        if (bucket < 1 << SubBits)
        {
            return bucket;
        }

        var exponent = (bucket >> SubBits) + SubBits - 1;
        var step = 1L << (exponent - SubBits);
        return (1L << exponent) + (((bucket & ((1 << SubBits) - 1)) + 1) * step) - 1;
    }
}
