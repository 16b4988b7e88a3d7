using System.Text;
using System.Text.Unicode;

namespace Kv.Core.Objects;

/// <summary>
/// An object's name as one byte string, whose order is the order of (type, bucket, key): all keys of a bucket lie together, under a prefix of their own.
/// <code>
/// type      UTF-8, not empty, no NUL
/// 00
/// bucket    not empty; each byte 00 written as 00 01
/// 00 00
/// key       as it is, to the end
/// </code>
/// </summary>
public static class ObjectKeyCodec
{
    /// <summary>Bytes of the longest encoded name: a bucket of nothing but NULs doubles.</summary>
    public const int MaxBytes = ObjectKey.MaxTypeBytes + 1 + (2 * ObjectKey.MaxBucketBytes) + 2 + ObjectKey.MaxKeyBytes;

    /// <summary>The bytes of a name. One that is not valid (<see cref="ObjectKey.IsValid"/>) throws <see cref="ArgumentException"/>.</summary>
    public static byte[] Encode(string bucketType, ReadOnlySpan<byte> bucket, ReadOnlySpan<byte> key)
    {
        if (key.Length is 0 or > ObjectKey.MaxKeyBytes)
        {
            throw new ArgumentException($"a key has 1 to {ObjectKey.MaxKeyBytes} bytes, not {key.Length}", nameof(key));
        }

        return EncodeParts(bucketType, bucket, key);
    }

    /// <summary>What the encoded names of all keys of a bucket begin with, and no others.</summary>
    public static byte[] BucketPrefix(BucketName bucket) => EncodeParts(bucket.BucketType, bucket.Bucket.Span, default);

    /// <summary>What the encoded names of all keys of a type begin with, and no others.</summary>
    public static byte[] TypePrefix(string bucketType) => [.. Encoding.UTF8.GetBytes(bucketType), 0];

    /// <summary>Reads a name back; bucket and key are slices of <paramref name="encoded"/> where they can be. False for bytes that <see cref="Encode"/> never gives.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out ObjectKey key)
    {
        key = null!;
        var bytes = encoded.Span;
        var typeEnd = bytes[..Math.Min(bytes.Length, ObjectKey.MaxTypeBytes + 1)].IndexOf((byte)0);
        if (typeEnd <= 0 || !Utf8.IsValid(bytes[..typeEnd]))
        {
            return false;
        }

        var rest = bytes[(typeEnd + 1)..];
        if (!TryFindBucketEnd(rest, out var bucketEnd, out var escapes))
        {
            return false;
        }

        var bucketBytes = bucketEnd - escapes;
        var name = rest[(bucketEnd + 2)..];
        if (bucketBytes is 0 or > ObjectKey.MaxBucketBytes || name.Length is 0 or > ObjectKey.MaxKeyBytes)
        {
            return false;
        }

        var bucket = escapes == 0 ? encoded.Slice(typeEnd + 1, bucketEnd) : Unescape(rest[..bucketEnd], bucketBytes);
        key = new ObjectKey(TypeName(bytes[..typeEnd]), bucket, encoded[^name.Length..]);
        return true;
    }

    private static byte[] EncodeParts(string bucketType, ReadOnlySpan<byte> bucket, ReadOnlySpan<byte> key)
    {
        var typeBytes = Encoding.UTF8.GetByteCount(bucketType);
        if (typeBytes is 0 or > ObjectKey.MaxTypeBytes || bucketType.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"a bucket type has 1 to {ObjectKey.MaxTypeBytes} bytes and no NUL", nameof(bucketType));
        }

        if (bucket.Length is 0 or > ObjectKey.MaxBucketBytes)
        {
            throw new ArgumentException($"a bucket has 1 to {ObjectKey.MaxBucketBytes} bytes, not {bucket.Length}", nameof(bucket));
        }

        var escapes = bucket.Count((byte)0);
        var encoded = GC.AllocateUninitializedArray<byte>(typeBytes + 1 + bucket.Length + escapes + 2 + key.Length);
        var at = Encoding.UTF8.GetBytes(bucketType, encoded);
        encoded[at++] = 0;
        if (escapes == 0)
        {
            bucket.CopyTo(encoded.AsSpan(at));
            at += bucket.Length;
        }
        else
        {
            foreach (var value in bucket)
            {
                encoded[at++] = value;
                if (value == 0)
                {
                    encoded[at++] = 1;
                }
            }
        }

        encoded[at++] = 0;
        encoded[at++] = 0;
        key.CopyTo(encoded.AsSpan(at));
        return encoded;
    }

    private static bool TryFindBucketEnd(ReadOnlySpan<byte> rest, out int end, out int escapes)
    {
        end = 0;
        escapes = 0;
        while (true)
        {
            var at = rest[end..].IndexOf((byte)0);
            if (at < 0 || end + at + 1 >= rest.Length)
            {
                return false;
            }

            end += at;
            switch (rest[end + 1])
            {
                case 0:
                    return true;
                case 1:
                    escapes++;
                    end += 2;
                    break;
                default:
                    return false;
            }
        }
    }

    private static byte[] Unescape(ReadOnlySpan<byte> escaped, int length)
    {
        var bucket = new byte[length];
        var at = 0;
        for (var i = 0; i < escaped.Length; i++)
        {
            bucket[at++] = escaped[i];
            i += escaped[i] == 0 ? 1 : 0;
        }

        return bucket;
    }

    private static string TypeName(ReadOnlySpan<byte> bytes) =>
        bytes.SequenceEqual("default"u8) ? ObjectKey.DefaultType : Encoding.UTF8.GetString(bytes);
}
