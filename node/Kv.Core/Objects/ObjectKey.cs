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

    private byte[]? encoded;

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

    /// <summary>The bytes by which stores know it: see <see cref="ObjectKeyCodec"/>. Made once.</summary>
    public ReadOnlyMemory<byte> Encoded => encoded ??= ObjectKeyCodec.Encode(BucketType, Bucket.Span, Key.Span);

    /// <summary>Whether names are there and short enough, or what is wrong with them.</summary>
    public bool IsValid(out string reason)
    {
        var typeBytes = Encoding.UTF8.GetByteCount(BucketType);
        reason = (typeBytes, Bucket.Length, Key.Length) switch
        {
            (0, _, _) => "the bucket type is empty",
            ( > MaxTypeBytes, _, _) => $"the bucket type has {typeBytes} bytes; the most is {MaxTypeBytes}",
            (_, 0, _) => "the bucket is empty",
            (_, > MaxBucketBytes, _) => $"the bucket has {Bucket.Length} bytes; the most is {MaxBucketBytes}",
            (_, _, 0) => "the key is empty",
            (_, _, > MaxKeyBytes) => $"the key has {Key.Length} bytes; the most is {MaxKeyBytes}",
            _ when BucketType.Contains('\0', StringComparison.Ordinal) => "the bucket type has a NUL character",
            _ => "",
        };
        return reason.Length == 0;
    }

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
