using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Kv.Wire.Peer;

/// <summary>
/// Writes little-endian fields into a pooled buffer that grows. One owner; used again after <see cref="Clear"/>. A buffer that a large message made
/// large is let go at the next <see cref="Clear"/>, to the collector and not to the pool, which would keep it.
/// </summary>
public sealed class WireWriter : IBufferWriter<byte>, IDisposable
{
    private const int KeptBytes = 1024 * 1024;

    private byte[] buffer;

    public WireWriter(int capacity = 4096) => buffer = Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, Length);

    public void Clear()
    {
        Length = 0;
        if (buffer.Length > KeptBytes)
        {
            buffer = Rent(4096);
        }
    }

    /// <summary>Forgets what was written after <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    public void Dispose()
    {
        Return(buffer);
        buffer = [];
        Length = 0;
    }

    public void U8(byte value) => Take(1)[0] = value;

    public void Flag(bool value) => U8(value ? (byte)1 : (byte)0);

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void I32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void I64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    public void Id(Guid value) => value.TryWriteBytes(Take(16));

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>A length of 32 bits and the bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        I32(value.Length);
        value.CopyTo(Take(value.Length));
    }

    /// <summary>UTF-8 with a length of 32 bits.</summary>
    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        I32(count);
        Encoding.UTF8.GetBytes(value, Take(count));
    }

    /// <summary>Room for a 32-bit length that <see cref="FillLength"/> sets later.</summary>
    public int LengthToFill()
    {
        I32(0);
        return Length;
    }

    /// <summary>Sets the length at <paramref name="start"/> to what was written since.</summary>
    public void FillLength(int start) => BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(start - 4), Length - start);

    public void PatchU16(int position, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(position), value);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return buffer.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private Span<byte> Take(int count)
    {
        Grow(count);
        var span = buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }

    private void Grow(int count)
    {
        if (buffer.Length - Length >= count)
        {
            return;
        }

        var larger = Rent(Math.Max(checked(Length + count), buffer.Length * 2));
        buffer.AsSpan(0, Length).CopyTo(larger);
        Return(buffer);
        buffer = larger;
    }

    private static byte[] Rent(int bytes) => bytes > KeptBytes ? GC.AllocateUninitializedArray<byte>(bytes) : ArrayPool<byte>.Shared.Rent(bytes);

    private static void Return(byte[] used)
    {
        if (used.Length <= KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(used);
        }
    }
}
