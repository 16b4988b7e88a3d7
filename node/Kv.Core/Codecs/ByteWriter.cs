using System.Buffers.Binary;
using System.Text;

namespace Kv.Core.Codecs;

/// <summary>Writes a durable format into a span that the caller sized; too small a span is a bug and throws.</summary>
internal ref struct ByteWriter(Span<byte> bytes)
{
    public const int MaxVarintBytes = 10;

    private readonly Span<byte> bytes = bytes;

    public int Written { get; private set; }

    /// <summary>A bound of what <see cref="WriteText"/> takes for a string.</summary>
    public static int MaxTextBytes(string? text) => 5 + (3 * (text?.Length ?? 0));

    public void WriteByte(byte value) => bytes[Written++] = value;

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[Written..], value);
        Written += 4;
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[Written..], value);
        Written += 8;
    }

    public void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            bytes[Written++] = (byte)(value | 0x80);
            value >>= 7;
        }

        bytes[Written++] = (byte)value;
    }

    public void WriteText(string text)
    {
        WriteVarint((ulong)Encoding.UTF8.GetByteCount(text));
        Written += Encoding.UTF8.GetBytes(text, bytes[Written..]);
    }
}
