using System.Buffers.Binary;
using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>
/// The sector in which a checkpoint's records end, up to that end. It is written over with what comes behind, and a crash may leave it so while its checksum is not, so that no checksum says whether it is as
/// the checkpoint had it; and FASTER marks records in it. So it is kept, and a recovery begins with it. Bytes, in the mark of the sums (<see cref="SectorSums"/>): the end's address (64 bits, little-endian), and what the sector has before it.
/// </summary>
/// <param name="End">The address at which the records end.</param>
/// <param name="Bytes">What lies between the sector's beginning and the end; none where a sector ends there.</param>
internal sealed record CheckpointTail(long End, ReadOnlyMemory<byte> Bytes)
{
    private const int EndBytes = sizeof(long);

    /// <summary>The address of the sector.</summary>
    public long Sector => End - Bytes.Length;

    public byte[] Encode()
    {
        var body = new byte[EndBytes + Bytes.Length];
        BinaryPrimitives.WriteInt64LittleEndian(body, End);
        Bytes.CopyTo(body.AsMemory(EndBytes));
        return body;
    }

    /// <summary>Null for the empty mark of an older program.</summary>
    /// <param name="path">Of the mark, for people.</param>
    /// <exception cref="StoreDamagedException">It is none, or of another checkpoint.</exception>
    public static CheckpointTail? Decode(string path, ReadOnlyMemory<byte> body, long expectedEnd)
    {
        if (body.IsEmpty)
        {
            return null;
        }

        var bytes = expectedEnd % SectorSums.SectorBytes;
        return body.Length == EndBytes + bytes && BinaryPrimitives.ReadInt64LittleEndian(body.Span) == expectedEnd
            ? new CheckpointTail(expectedEnd, body[EndBytes..])
            : throw new StoreDamagedException($"{path} is damaged at offset 0: expected the {bytes} bytes before the end {expectedEnd} of a checkpoint, found others.");
    }
}
