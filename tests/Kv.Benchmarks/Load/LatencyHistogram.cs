using System.Numerics;

namespace Kv.Benchmarks.Load;

/// <summary>Latencies in microseconds, in buckets of at most 1/32 of their value. One writer; merged at the end.</summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private readonly long[] _counts = new long[64 << SubBits];

    public long Count { get; private set; }

    public void Record(long microseconds)
    {
        _counts[Bucket(Math.Max(microseconds, 0))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>Microseconds that the fraction of operations did not exceed; 0 where there were none.</summary>
    public long Percentile(double fraction)
    {
        var wanted = (long)Math.Ceiling(Count * fraction);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && seen > 0)
            {
                return UpperEnd(i);
            }
        }

        return 0;
    }

    private static int Bucket(long value)
    {
        if (value < 1 << SubBits)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) & ((1 << SubBits) - 1));
    }

    private static long UpperEnd(int bucket)
    {
        if (bucket < 1 << SubBits)
        {
            return bucket;
        }

        var shift = (bucket >> SubBits) - 1;
        var sub = (bucket & ((1 << SubBits) - 1)) + (1 << SubBits);
        return ((long)(sub + 1) << shift) - 1;
    }
}
