using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Kv.Wire.Riak;

/// <summary>
/// RFC 3986 percent-encoding of bytes that need not be text: how buckets and keys stand in paths, `Location` and `Link` headers. Decoding happens once; `+` is a
/// plus. A `%` that no two hex digits follow is refused.
/// </summary>
internal static class PercentEncoding
{
    private static readonly SearchValues<char> Unreserved =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private static readonly SearchValues<char> Quotable = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code).Where(sign => sign is not ('"' or '%'))]);

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // hot
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        var escapes = text.Count('%');
        if (escapes == 0)
        {
            bytes = Encoding.UTF8.GetBytes(text.ToArray());
            return true;
        }

        var decoded = new byte[Encoding.UTF8.GetMaxByteCount(text.Length - escapes)];
        var written = 0;
        while (!text.IsEmpty)
        {
            var plain = text.IndexOf('%') is var at && at >= 0 ? text[..at] : text;
            written += Encoding.UTF8.GetBytes(plain, decoded.AsSpan(written));
            text = text[plain.Length..];
            if (text.IsEmpty)
            {
                break;
            }

            if (text.Length < 3 || !char.IsAsciiHexDigit(text[1]) || !char.IsAsciiHexDigit(text[2]))
            {
                bytes = [];
                return false;
            }

            decoded[written++] = (byte)((Digit(text[1]) << 4) | Digit(text[2]));
            text = text[3..];
        }

        bytes = decoded[..written];
        return true;
    }

    /// <summary>The same for what has to be text: false also where the bytes are not UTF-8.</summary>
    public static bool TryDecodeText(ReadOnlySpan<char> text, out string decoded)
    {
        decoded = "";
        if (!TryDecode(text, out var bytes) || !Utf8.IsValid(bytes))
        {
            return false;
        }

        decoded = StrictUtf8.GetString(bytes);
        return true;
    }

    /// <summary>For what stands between quotes: what is printable stays, but the quote and the percent sign.</summary>
    public static string EncodeQuoted(string text) => Encode(Encoding.UTF8.GetBytes(text), Quotable);

    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    public static string Encode(ReadOnlySpan<byte> bytes) => Encode(bytes, Unreserved);

    private static string Encode(ReadOnlySpan<byte> bytes, SearchValues<char> plain)
    {
        var text = new StringBuilder(bytes.Length + 16);
        foreach (var value in bytes)
        {
            if (plain.Contains((char)value))
            {
                text.Append((char)value);
            }
            else
            {
                text.Append('%').Append(HexDigit(value >> 4)).Append(HexDigit(value & 15));
            }
        }

        return text.ToString();
    }

    private static int Digit(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static char HexDigit(int digit) => (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
}
