using System.Buffers;
using System.Buffers.Binary;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// A frame of Riak's Protocol Buffers interface (reference 8.1):
/// <code>
/// offset size
/// 0      4    length of the rest, big endian
/// 4      1    code
/// 5      ...  message
/// </code>
/// </summary>
internal readonly struct PbFrame(PbCode code, ReadOnlySequence<byte> message)
{
    public const int LengthBytes = 4;
    public const int HeaderBytes = 5;
    public const int LongestVarint = 5;

    public PbCode Code { get; } = code;

    public ReadOnlySequence<byte> Message { get; } = message;

    /// <summary>The length that the frame at the beginning says it has, code included; null where that has not come yet.</summary>
    public static uint? LengthOf(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.Length < LengthBytes)
        {
            return null;
        }

        Span<byte> length = stackalloc byte[LengthBytes];
        buffer.Slice(0, LengthBytes).CopyTo(length);
        return BinaryPrimitives.ReadUInt32BigEndian(length);
    }

    /// <summary>Takes a frame off the beginning, where all of it is there.</summary>
    public static bool TryTake(ref ReadOnlySequence<byte> buffer, out PbFrame frame)
    {
        frame = default;
        if (LengthOf(buffer) is not { } length || buffer.Length < LengthBytes + (long)length)
        {
            return false;
        }

        var body = buffer.Slice(LengthBytes, length);
        frame = new PbFrame((PbCode)body.FirstSpan[0], body.Slice(1));
        buffer = buffer.Slice(body.End);
        return true;
    }

    /// <summary>Its message's bytes, if it has one, come after it.</summary>
    // hot
    public static void WriteHeader(IBufferWriter<byte> output, PbCode code, int messageBytes)
    {
        var header = output.GetSpan(HeaderBytes);
        BinaryPrimitives.WriteUInt32BigEndian(header, (uint)messageBytes + 1);
        header[LengthBytes] = (byte)code;
        output.Advance(HeaderBytes);
    }
    /// <summary>Gives the number of bytes.</summary>
    public static int WriteVarint(Span<byte> room, uint value)
    {
        var bytes = 0;
        for (; value >= 0x80; value >>= 7)
        {
            room[bytes++] = (byte)(value | 0x80);
        }

        room[bytes++] = (byte)value;
        return bytes;
    }
}
