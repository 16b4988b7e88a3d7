using System.Buffers.Binary;
using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// The bytes of one record. Numbers are little-endian; a record starts at a multiple of 8, a group of records (what one sync covers) at a
/// multiple of 4096, and the bytes between are zero.
/// <code>
/// offset size
///      0    4  CRC-32C of bytes 4 to 39 and the payload
///      4    4  length of the payload
///      8    8  sequence number: one more than the record before, over all segments
///     16    8  sequence number of the first record of its group
///     24    8  birth of the partition's store (see <see cref="StoreIdentity"/>)
///     32    4  partition
///     36    1  kind
///     37    3  zero
///     40    n  payload
/// </code>
/// </summary>
/// <param name="Lsn">The record's sequence number.</param>
/// <param name="GroupLsn">That of the first record of its group.</param>
/// <param name="Store">The store it belongs to.</param>
/// <param name="Kind">What it says.</param>
/// <param name="PayloadBytes">Length of the payload.</param>
internal readonly record struct LogRecord(long Lsn, long GroupLsn, StoreIdentity Store, LogRecordKind Kind, int PayloadBytes)
{
    public const int HeaderBytes = 40;
    public const int Alignment = 8;
    public const int GroupAlignment = 4096;

    /// <summary>Bytes in the log: header, payload, and zeros to the next multiple of 8.</summary>
    public static int Footprint(int payloadBytes) => (HeaderBytes + payloadBytes + Alignment - 1) & -Alignment;

    /// <summary>Writes the header, all but its checksum; the payload comes behind it, then <see cref="Seal"/>.</summary>
    public void WriteHeader(Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], PayloadBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], Lsn);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], GroupLsn);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], Store.Birth);
        BinaryPrimitives.WriteInt32LittleEndian(target[32..], Store.Partition);
        target[36] = (byte)Kind;
        target[37..HeaderBytes].Clear();
    }

    /// <summary>Writes the checksum of the record at the start of the span and returns its footprint.</summary>
    public static int Seal(Span<byte> record)
    {
        var payload = BinaryPrimitives.ReadInt32LittleEndian(record[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Of(record[4..(HeaderBytes + payload)]));
        return Footprint(payload);
    }

    /// <summary>Reads the record at the start of the span; null where there is none that is whole, in bounds and matches its checksum.</summary>
    public static LogRecord? TryRead(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes && ReadHeader(bytes) is var record && record.PayloadBytes >= 0 && record.PayloadBytes <= bytes.Length - HeaderBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Crc32C.Of(bytes[4..(HeaderBytes + record.PayloadBytes)])
            ? record
            : null;

    /// <summary>What the header at the start of the span says, unchecked.</summary>
    public static LogRecord ReadHeader(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
        new StoreIdentity(BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
        (LogRecordKind)bytes[36],
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]));
}
