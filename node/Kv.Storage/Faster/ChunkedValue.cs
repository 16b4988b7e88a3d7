using System.Buffers.Binary;

namespace Kv.Storage.Faster;

/// <summary>
/// A value cut in chunks: named by the sequence number of its batch and its place in it, so that writing it again from the log writes the same
/// records. As content of a record: sequence number (8), entry (4), length (4), CRC-32C of the whole value (4).
/// </summary>
internal readonly record struct ChunkedValue(long Lsn, int Entry, int Length, uint Checksum)
{
    public const int Bytes = 20;

    public int ChunkCount(int chunkBytes) => (Length + chunkBytes - 1) / chunkBytes;

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, Lsn);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], Entry);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], Checksum);
    }

    public static ChunkedValue Read(ReadOnlySpan<byte> content) => new(
        BinaryPrimitives.ReadInt64LittleEndian(content),
        BinaryPrimitives.ReadInt32LittleEndian(content[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(content[12..]),
        BinaryPrimitives.ReadUInt32LittleEndian(content[16..]));
}
