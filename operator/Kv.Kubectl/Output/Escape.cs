using System.Text;
using Google.Protobuf;

namespace Kv.Kubectl.Output;

/// <summary>Text of others on a person's terminal: nothing in it may move the cursor or colour the screen.</summary>
internal static class Escape
{
    private const string Mark = "base64:";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Control characters but line ends and tabs become <c>\xNN</c>.</summary>
    public static string Line(string text) => Replace(text, character => char.IsControl(character) && character is not '\n' and not '\t');

    /// <summary>For a cell of a table: line ends and tabs too.</summary>
    public static string Cell(string text) => Replace(text, char.IsControl);

    /// <summary>The text that these bytes are in UTF-8; null if they are none.</summary>
    public static string? TextOf(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Bytes on a line of their own: as they are where they are text that stays on it, else in base64 with a mark before it.</summary>
    public static string NameOf(ByteString bytes)
    {
        var text = TextOf(bytes.Span);
        return text is null || text.Any(char.IsControl) || text.StartsWith(Mark, StringComparison.Ordinal) ? Mark + bytes.ToBase64() : text;
    }

    private static string Replace(string text, Func<char, bool> isBad)
    {
        if (!text.Any(isBad))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length + 8);
        foreach (var character in text)
        {
            _ = isBad(character) ? clean.Append($"\\x{(int)character:x2}") : clean.Append(character);
        }

        return clean.ToString();
    }
}
