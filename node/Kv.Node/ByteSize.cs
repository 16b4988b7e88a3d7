using System.Globalization;

namespace Kv.Node;

/// <summary>Sizes as Kubernetes writes them: `1073741824`, `1Gi`, `512M`.</summary>
public static class ByteSize
{
    private static readonly (string Suffix, long Factor)[] Units =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1000), ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
    ];

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var factor = 1L;
        foreach (var unit in Units)
        {
            if (text.EndsWith(unit.Suffix, StringComparison.Ordinal))
            {
                (text, factor) = (text[..^unit.Suffix.Length], unit.Factor);
                break;
            }
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue / factor)
        {
            return false;
        }

        bytes = number * factor;
        return true;
    }

    public static string Format(long bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.##", CultureInfo.InvariantCulture) + "Gi",
        >= 1L << 20 => (bytes / (double)(1L << 20)).ToString("0.#", CultureInfo.InvariantCulture) + "Mi",
        >= 1L << 10 => (bytes / (double)(1L << 10)).ToString("0.#", CultureInfo.InvariantCulture) + "Ki",
        _ => bytes.ToString(CultureInfo.InvariantCulture),
    };
}
