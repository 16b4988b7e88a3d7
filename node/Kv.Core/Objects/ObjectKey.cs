using System.Text;

namespace Kv.Core.Objects;

/// <summary>
/// Names an object: bucket type, bucket and key. The untyped bucket of Riak's older interfaces is in the type <see cref="DefaultType"/>.
/// Types are text (lower-case names of bucket types); buckets and keys are any bytes, neither empty; a key has at most <see cref="MaxKeyBytes"/>.
/// </summary>
public sealed class ObjectKey : IEquatable<ObjectKey>
{
    public const string DefaultType = "default";
    public const int MaxKeyBytes = 65536;
    public const int MaxBucketBytes = 65535;
    public const int MaxTypeBytes = 255;

    public ObjectKey(string bucketType, ReadOnlyMemory<byte> bucket, ReadOnlyMemory<byte> key)
    {
        BucketType = bucketType;
        Bucket = bucket;
        Key = key;
    }

    public ObjectKey(string bucketType, string bucket, string key)
        : this(bucketType, Encoding.UTF8.GetBytes(bucket), Encoding.UTF8.GetBytes(key))
    {
    }

    public string BucketType { get; }

    public ReadOnlyMemory<byte> Bucket { get; }

    public ReadOnlyMemory<byte> Key { get; }

    public bool Equals(ObjectKey? other) =>
        other is not null && BucketType == other.BucketType && Bucket.Span.SequenceEqual(other.Bucket.Span) && Key.Span.SequenceEqual(other.Key.Span);

    public override bool Equals(object? obj) => Equals(obj as ObjectKey);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(BucketType);
        hash.AddBytes(Bucket.Span);
        hash.AddBytes(Key.Span);
        return hash.ToHashCode();
    }

    public override string ToString() => $"{BucketType}/{Encoding.UTF8.GetString(Bucket.Span)}/{Encoding.UTF8.GetString(Key.Span)}";
}
