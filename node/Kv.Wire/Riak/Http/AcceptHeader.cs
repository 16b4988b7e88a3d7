using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Kv.Wire.Riak.Http;

/// <summary>What an Accept header makes of a media type (RFC 9110 12.5.1). No header allows everything; what cannot be read in one is passed over.</summary>
internal static class AcceptHeader
{
    /// <summary>The quality that the header gives to a media type, 0 where it excludes it; <paramref name="isNamed"/>: by more than `*/*`.</summary>
    public static double QualityOf(StringValues header, string mediaType, out bool isNamed)
    {
        isNamed = false;
        if (StringValues.IsNullOrEmpty(header))
        {
            return 1;
        }

        var type = WithoutParameters(mediaType);
        var (best, specificity) = (0.0, -1);
        foreach (var line in header)
        {
            foreach (var part in (line ?? "").Split(','))
            {
                var range = WithoutParameters(part);
                if (SpecificityOf(range, type) is var matched && matched > specificity)
                {
                    (best, specificity) = (Quality(part), matched);
                }
            }
        }

        isNamed = specificity > 0;
        return specificity < 0 ? 0 : best;
    }

    public static bool Allows(StringValues header, string mediaType) => StringValues.IsNullOrEmpty(header) || QualityOf(header, mediaType, out _) > 0;

    private static int SpecificityOf(ReadOnlySpan<char> range, ReadOnlySpan<char> type)
    {
        if (range is "*/*" or "*")
        {
            return 0;
        }

        if (range.EndsWith("/*"))
        {
            return type.StartsWith(range[..^1], StringComparison.OrdinalIgnoreCase) ? 1 : -1;
        }

        return range.Equals(type, StringComparison.OrdinalIgnoreCase) ? 2 : -1;
    }

    private static ReadOnlySpan<char> WithoutParameters(ReadOnlySpan<char> text)
    {
        var end = text.IndexOf(';');
        return (end < 0 ? text : text[..end]).Trim();
    }

    private static double Quality(string part)
    {
        foreach (var parameter in part.Split(';').Skip(1))
        {
            var trimmed = parameter.Trim();
            if (trimmed.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
            {
                return double.TryParse(trimmed.AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality) ? quality : 1;
            }
        }

        return 1;
    }
}
