using System.Text;

namespace Kv.Wire.Access;

/// <summary>The `Authorization: Basic …` header (RFC 7617), of HTTP and of gRPC's metadata.</summary>
internal static class BasicCredentials
{
    private const string Scheme = "Basic ";
    private const int MaxLetters = 4096;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null where the header is not there or is none.</summary>
    public static (string User, string Password)? Read(string? header)
    {
        if (header is null || header.Length > MaxLetters || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var encoded = header.AsSpan(Scheme.Length).Trim();
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64Chars(encoded, bytes, out var written))
        {
            return null;
        }

        try
        {
            var text = Utf8.GetString(bytes, 0, written);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
