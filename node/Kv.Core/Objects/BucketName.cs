using System.Text;

namespace Kv.Core.Objects;

/// <summary>A bucket in its type. Sorts by type, then by the bucket's bytes.</summary>
public sealed class BucketName : IEquatable<BucketName>, IComparable<BucketName>
{
    public BucketName(string bucketType, ReadOnlyMemory<byte> bucket)
    {
        BucketType = bucketType;
        Bucket = bucket;
    }

    public BucketName(string bucketType, string bucket)
        : this(bucketType, Encoding.UTF8.GetBytes(bucket))
    {
    }

    public string BucketType { get; }

    public ReadOnlyMemory<byte> Bucket { get; }

    public bool Equals(BucketName? other) => other is not null && BucketType == other.BucketType && Bucket.Span.SequenceEqual(other.Bucket.Span);

    public override bool Equals(object? obj) => Equals(obj as BucketName);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(BucketType);
        hash.AddBytes(Bucket.Span);
        return hash.ToHashCode();
    }

    public int CompareTo(BucketName? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byType = string.CompareOrdinal(BucketType, other.BucketType);
        return byType != 0 ? byType : Bucket.Span.SequenceCompareTo(other.Bucket.Span);
    }

    public override string ToString() => $"{BucketType}/{Encoding.UTF8.GetString(Bucket.Span)}";

    public static bool operator ==(BucketName? left, BucketName? right) => left?.Equals(right) ?? right is null;

    public static bool operator !=(BucketName? left, BucketName? right) => !(left == right);

    public static bool operator <(BucketName? left, BucketName? right) => Comparer<BucketName?>.Default.Compare(left, right) < 0;

    public static bool operator <=(BucketName? left, BucketName? right) => Comparer<BucketName?>.Default.Compare(left, right) <= 0;

    public static bool operator >(BucketName? left, BucketName? right) => Comparer<BucketName?>.Default.Compare(left, right) > 0;

    public static bool operator >=(BucketName? left, BucketName? right) => Comparer<BucketName?>.Default.Compare(left, right) >= 0;
}
