using System.Text;
using Kv.Core.Objects;

namespace Kv.Core.Security;

/// <summary>What a grant is on: everything (no type), all of a bucket type (no bucket), or a bucket. Sorts in this order.</summary>
public sealed record GrantScope : IComparable<GrantScope>
{
    private GrantScope(string? bucketType, BucketName? bucket) => (BucketType, Bucket) = (bucketType, bucket);

    public static GrantScope Any { get; } = new(null, null);

    /// <summary>Null for everything.</summary>
    public string? BucketType { get; }

    /// <summary>Null for all of the type.</summary>
    public BucketName? Bucket { get; }

    public static GrantScope OfType(string bucketType) => new(bucketType, null);

    public static GrantScope OfBucket(BucketName bucket) => new(bucket.BucketType, bucket);

    public int CompareTo(GrantScope? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byType = string.CompareOrdinal(BucketType, other.BucketType);
        return byType != 0 ? byType : Comparer<BucketName?>.Default.Compare(Bucket, other.Bucket);
    }

    /// <summary>As Riak's refusals name it.</summary>
    public override string ToString() => Bucket is { } bucket ? $"{BucketType}/{Encoding.UTF8.GetString(bucket.Bucket.Span)}" : BucketType ?? "any";

    public static bool operator <(GrantScope? left, GrantScope? right) => Comparer<GrantScope?>.Default.Compare(left, right) < 0;

    public static bool operator <=(GrantScope? left, GrantScope? right) => Comparer<GrantScope?>.Default.Compare(left, right) <= 0;

    public static bool operator >(GrantScope? left, GrantScope? right) => Comparer<GrantScope?>.Default.Compare(left, right) > 0;

    public static bool operator >=(GrantScope? left, GrantScope? right) => Comparer<GrantScope?>.Default.Compare(left, right) >= 0;
}
