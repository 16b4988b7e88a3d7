using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Kv.Core.Buckets;
using Kv.Core.Objects;

namespace Kv.Core.Rings;

/// <summary>
/// From a key to the partition that serves it first, bit for bit as Riak does it (riak_core_util:chash_std_keyfun,
/// chash:key_of): SHA-1 of the Erlang external term of {bucket, key}, read as a number on the ring of 2^160; the partition strictly after
/// the slot it falls in. Pure; allocates nothing for names of usual size.
/// </summary>
/// <remarks>
/// The term, lengths as four bytes, big-endian:
/// <code>
/// 83                                          version of the external term format
/// 68 02 | bucket | key                        a pair, whose bucket is
///         6D len bytes                          of the type `default`: a binary
///         68 02 | 6D len type | 6D len bucket   of another type: a pair of type and bucket
/// bucket                                      bucket-only: the bucket's term without the pair around it
/// </code>
/// </remarks>
public static class RingHash
{
    /// <summary>Bytes of a ring position.</summary>
    public const int HashBytes = SHA1.HashSizeInBytes;

    /// <summary>Riak's key function that puts a whole bucket on one preference list.</summary>
    public const string BucketOnlyKeyFun = "chash_bucketonly_keyfun";

    private const int StackBytes = 512;
    private const byte TermVersion = 0x83;
    private const byte SmallTuple = 0x68;
    private const byte Binary = 0x6D;

    /// <summary>The first primary partition of <paramref name="key"/> in a bucket with these properties.</summary>
    public static PartitionId FirstPartition(ObjectKey key, ModuleFunction keyFun, int ringSize) =>
        FirstPartition(key.BucketType, key.Bucket.Span, key.Key.Span, IsBucketOnly(keyFun), ringSize);

    public static PartitionId FirstPartition(string bucketType, ReadOnlySpan<byte> bucket, ReadOnlySpan<byte> key, bool bucketOnly, int ringSize)
    {
        Span<byte> hash = stackalloc byte[HashBytes];
        Hash(bucketType, bucket, key, bucketOnly, hash);
        return PartitionAfter(hash, ringSize);
    }

    /// <summary>The partition that serves a position of the ring first: the one after the slot it falls in.</summary>
    public static PartitionId PartitionAfter(ReadOnlySpan<byte> hash, int ringSize)
    {
        // Ring sizes are powers of two of at most 2^10, so the slot is the hash's leading bits.
        var slot = BinaryPrimitives.ReadUInt16BigEndian(hash) >> (16 - BitOperations.Log2((uint)ringSize));
        return new PartitionId((slot + 1) & (ringSize - 1));
    }

    /// <summary>The position on the ring, 20 bytes big-endian, of a key; <paramref name="bucketOnly"/> leaves the key out.</summary>
    // hot
    public static void Hash(string bucketType, ReadOnlySpan<byte> bucket, ReadOnlySpan<byte> key, bool bucketOnly, Span<byte> hash)
    {
        var typed = bucketType != ObjectKey.DefaultType;
        var bound = 32 + (typed ? Encoding.UTF8.GetMaxByteCount(bucketType.Length) : 0) + bucket.Length + key.Length;
        byte[]? rented = null;
        var term = bound <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(bound);
        try
        {
            var length = WriteTerm(term, bucketType, typed, bucket, key, bucketOnly);
            HashTerm(term[..length], hash);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Whether a bucket's `chash_keyfun` leaves the key out of the hash.</summary>
    public static bool IsBucketOnly(ModuleFunction keyFun) => keyFun.Function == BucketOnlyKeyFun;

    private static int WriteTerm(Span<byte> term, string bucketType, bool typed, ReadOnlySpan<byte> bucket, ReadOnlySpan<byte> key, bool bucketOnly)
    {
        term[0] = TermVersion;
        var at = 1;
        if (!bucketOnly)
        {
            at += WritePairHeader(term[at..]);
        }

        if (typed)
        {
            at += WritePairHeader(term[at..]);
            var typeBytes = Encoding.UTF8.GetBytes(bucketType, term[(at + 5)..]);
            at += WriteBinaryHeader(term[at..], typeBytes) + typeBytes;
        }

        at += WriteBinary(term[at..], bucket);
        return bucketOnly ? at : at + WriteBinary(term[at..], key);
    }

    private static int WritePairHeader(Span<byte> to)
    {
        to[0] = SmallTuple;
        to[1] = 2;
        return 2;
    }

    private static int WriteBinary(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        var header = WriteBinaryHeader(to, bytes.Length);
        bytes.CopyTo(to[header..]);
        return header + bytes.Length;
    }

    private static int WriteBinaryHeader(Span<byte> to, int length)
    {
        to[0] = Binary;
        BinaryPrimitives.WriteInt32BigEndian(to[1..], length);
        return 5;
    }

    [SuppressMessage("Security", "CA5350", Justification = "placement, not secrecy: Riak's ring is SHA-1's output")]
    private static void HashTerm(ReadOnlySpan<byte> term, Span<byte> hash) => SHA1.HashData(term, hash);
}
