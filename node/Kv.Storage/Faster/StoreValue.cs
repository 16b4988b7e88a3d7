using System.Buffers.Binary;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>What a record's value is. Persisted: append only.</summary>
internal enum StoreValueKind : byte
{
    /// <summary>The value itself.</summary>
    Inline = 1,

    /// <summary>A <see cref="ChunkedValue"/>: the value lies in records of its own.</summary>
    Chunked = 2,

    /// <summary>The key was removed; the record goes at the next compaction that meets it.</summary>
    Removed = 3,
}

/// <summary>
/// How keys and values lie in FASTER. FASTER has no checksums of its own, so each value carries one that covers its key too.
/// <code>
/// key    0    1  0 for a key of the port, 1 for a chunk
///        1    n  the key; or the chunked value's sequence number (8), entry (4) and the chunk's number (4)
/// value  0    4  CRC-32C of the kind, the content and the key
///        4    1  kind
///        5    n  content
/// </code>
/// </summary>
internal static class StoreValue
{
    public const int KeyPrefixBytes = 1;
    public const int HeaderBytes = 5;
    public const int ChunkKeyBytes = 17;
    public const byte PortKey = 0;
    public const byte ChunkKey = 1;

    public static int WriteKey(ReadOnlySpan<byte> key, Span<byte> target)
    {
        target[0] = PortKey;
        key.CopyTo(target[KeyPrefixBytes..]);
        return KeyPrefixBytes + key.Length;
    }

    public static int WriteChunkKey(in ChunkedValue value, int chunk, Span<byte> target)
    {
        target[0] = ChunkKey;
        BinaryPrimitives.WriteInt64LittleEndian(target[1..], value.Lsn);
        BinaryPrimitives.WriteInt32LittleEndian(target[9..], value.Entry);
        BinaryPrimitives.WriteInt32LittleEndian(target[13..], chunk);
        return ChunkKeyBytes;
    }

    public static int Write(StoreValueKind kind, ReadOnlySpan<byte> content, ReadOnlySpan<byte> storeKey, Span<byte> target)
    {
        target[4] = (byte)kind;
        content.CopyTo(target[HeaderBytes..]);
        var length = HeaderBytes + content.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(target, Crc32C.Of(target[4..length], storeKey));
        return length;
    }

    public static bool IsWhole(ReadOnlySpan<byte> value, ReadOnlySpan<byte> storeKey) => IsWhole(value, storeKey[0], storeKey[KeyPrefixBytes..]);

    public static bool IsWhole(ReadOnlySpan<byte> value, byte keyPrefix, ReadOnlySpan<byte> keyRest) =>
        value.Length >= HeaderBytes && BinaryPrimitives.ReadUInt32LittleEndian(value) == Crc32C.Of(value[4..], [keyPrefix], keyRest);

    public static StoreValueKind KindOf(ReadOnlySpan<byte> value) => (StoreValueKind)value[4];
}
