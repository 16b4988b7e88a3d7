using System.Buffers;

namespace Kv.Wire.Riak.Http;

/// <summary>What may stand in a header: metadata that came by another protocol can hold anything, and must not break an answer or forge a header in it.</summary>
internal static class HeaderText
{
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>The text with every control character made a space.</summary>
    public static string Safe(string text)
    {
        foreach (var c in text)
        {
            if (IsUnsafe(c))
            {
                return string.Create(text.Length, text, static (span, from) =>
                {
                    for (var i = 0; i < from.Length; i++)
                    {
                        span[i] = IsUnsafe(from[i]) ? ' ' : from[i];
                    }
                });
            }
        }

        return text;
    }

    public static bool IsName(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(NameCharacters);

    // Surrogates that are not paired cannot be sent as UTF-8; a pair of them is not worth telling apart in a header.
    private static bool IsUnsafe(char c) => c < ' ' || c == '\u007f' || char.IsSurrogate(c);
}
