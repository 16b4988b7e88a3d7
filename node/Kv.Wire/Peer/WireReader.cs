using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Kv.Wire.Peer;

/// <summary>
/// Reads little-endian fields from bytes that may be hostile. The first thing wrong is kept in <see cref="Problem"/> with its offset; every read after
/// it gives zero or nothing, so that a decoder checks once at its end. Lengths are checked against what is left before anything is allocated.
/// </summary>
public ref struct WireReader(ReadOnlyMemory<byte> source)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> source = source;
    private int position;

    /// <summary>Null while all is well.</summary>
    public string? Problem { get; private set; }

    public readonly bool Failed => Problem is not null;

    public readonly int Left => source.Length - position;

    public byte U8() => Take(1, "a byte") is { Length: 1 } span ? span[0] : (byte)0;

    public bool Flag()
    {
        var value = U8();
        if (value > 1)
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"{value} is not a flag"));
        }

        return value == 1;
    }

    public ushort U16() => Take(2, "a number") is { Length: 2 } span ? BinaryPrimitives.ReadUInt16LittleEndian(span) : (ushort)0;

    public uint U32() => Take(4, "a number") is { Length: 4 } span ? BinaryPrimitives.ReadUInt32LittleEndian(span) : 0;

    public int I32() => (int)U32();

    public ulong U64() => Take(8, "a number") is { Length: 8 } span ? BinaryPrimitives.ReadUInt64LittleEndian(span) : 0;

    public long I64() => (long)U64();

    public Guid Id() => Take(16, "an id") is { Length: 16 } span ? new Guid(span) : default;

    /// <summary>Bytes with their length: a slice of the source.</summary>
    public ReadOnlyMemory<byte> Bytes(int longest = int.MaxValue)
    {
        var length = I32();
        if (Failed)
        {
            return default;
        }

        if (length < 0 || length > longest || length > Left)
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"a length of {length} where {Left} bytes are left and {longest} are allowed"));
            return default;
        }

        var slice = source.Slice(position, length);
        position += length;
        return slice;
    }

    public string Text(int longest = 64 * 1024)
    {
        var bytes = Bytes(longest);
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException)
        {
            Fail("a text that is not UTF-8");
            return "";
        }
    }

    /// <summary>A number of things that take at least <paramref name="leastBytes"/> each: never more than can follow.</summary>
    public int Count(int leastBytes, int most = int.MaxValue)
    {
        var count = I32();
        if (!Failed && (count < 0 || count > most || count > Left / leastBytes))
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"a count of {count} where {Left} bytes are left and {most} are allowed"));
        }

        return Failed ? 0 : count;
    }

    public void Fail(string problem) => Problem ??= string.Create(CultureInfo.InvariantCulture, $"{problem} (at byte {position})");

    /// <summary>To be called when everything was read: more bytes are a failure.</summary>
    public void End()
    {
        if (!Failed && Left > 0)
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"{Left} bytes more than expected"));
        }
    }

    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (Failed || Left < count)
        {
            Fail($"the end where {what} should be");
            return default;
        }

        var span = source.Span.Slice(position, count);
        position += count;
        return span;
    }
}
