using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Kv.Core.Indexes;

/// <summary>
/// A term as bytes whose order is the terms' own, and that tell where they end. Terms of `_bin` fields are in the order of their UTF-8 bytes, those of `_int` fields integers of any size.
/// <code>
/// _bin   each byte 00 written as 00 01, then 00 00
/// _int   n of 0 and more: 8000 plus the bytes of its magnitude (2, big-endian), magnitude, big-endian
///        n below 0:       7FFF less the bytes of its magnitude (2, big-endian), magnitude, big-endian, each bit turned
/// </code>
/// </summary>
public static class IndexTermCodec
{
    private const int IntegerHeaderBytes = 2;
    private const int NotNegative = 0x8000;
    private const int MaxMagnitudeBytes = 0x7EFF;

    /// <summary>The integer of a term of an `_int` field, as Riak reads it: decimal digits with or without a sign; null for anything else.</summary>
    public static BigInteger? ParseInteger(string term) =>
        BigInteger.TryParse(term, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) && integer.GetByteCount(isUnsigned: integer.Sign >= 0) <= MaxMagnitudeBytes
            ? integer
            : null;

    public static byte[] Encode(string term)
    {
        var bytes = Encoding.UTF8.GetBytes(term);
        var encoded = new List<byte>(bytes.Length + 2);
        foreach (var value in bytes)
        {
            encoded.Add(value);
            if (value == 0)
            {
                encoded.Add(1);
            }
        }

        return [.. encoded, 0, 0];
    }

    public static byte[] Encode(BigInteger term)
    {
        var magnitude = BigInteger.Abs(term).ToByteArray(isUnsigned: true, isBigEndian: true);
        var encoded = new byte[IntegerHeaderBytes + magnitude.Length];
        magnitude.CopyTo(encoded, IntegerHeaderBytes);
        if (term.Sign >= 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(encoded, (ushort)(NotNegative + magnitude.Length));
            return encoded;
        }

        BinaryPrimitives.WriteUInt16BigEndian(encoded, (ushort)(NotNegative - 1 - magnitude.Length));
        for (var at = IntegerHeaderBytes; at < encoded.Length; at++)
        {
            encoded[at] = (byte)~encoded[at];
        }

        return encoded;
    }

    /// <summary>What comes after everything that begins with the term's bytes, and before the next term.</summary>
    public static byte[] After(byte[] encoded)
    {
        var after = encoded.ToArray();
        for (var at = after.Length - 1; ; at--)
        {
            // The first byte of neither form is ever FF, so that there is always one to raise.
            if (after[at] < byte.MaxValue)
            {
                after[at]++;
                return after[..(at + 1)];
            }
        }
    }

    /// <summary>Reads a term back from the beginning of the bytes, as text; null for bytes that <see cref="Encode(string)"/> never gives.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes, bool isInteger, out int length) => isInteger ? DecodeInteger(bytes, out length) : DecodeText(bytes, out length);

    private static string? DecodeText(ReadOnlySpan<byte> bytes, out int length)
    {
        var text = new List<byte>(bytes.Length);
        for (length = 0; length + 1 < bytes.Length; length++)
        {
            if (bytes[length] != 0)
            {
                text.Add(bytes[length]);
                continue;
            }

            if (bytes[++length] == 0)
            {
                length++;
                return Encoding.UTF8.GetString(text.ToArray());
            }

            text.Add(0);
        }

        return null;
    }

    private static string? DecodeInteger(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.Length < IntegerHeaderBytes)
        {
            return null;
        }

        var header = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        var isNegative = header < NotNegative;
        length = IntegerHeaderBytes + (isNegative ? NotNegative - 1 - header : header - NotNegative);
        if (length > bytes.Length)
        {
            return null;
        }

        var magnitude = bytes[IntegerHeaderBytes..length].ToArray();
        for (var at = 0; isNegative && at < magnitude.Length; at++)
        {
            magnitude[at] = (byte)~magnitude[at];
        }

        var integer = new BigInteger(magnitude, isUnsigned: true, isBigEndian: true);
        return (isNegative ? -integer : integer).ToString(CultureInfo.InvariantCulture);
    }
}
