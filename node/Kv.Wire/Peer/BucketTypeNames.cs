using System.Text;

namespace Kv.Wire.Peer;

/// <summary>
/// Bucket types' names as texts, made once and not with each message: there are few. A fixed number of places; names that fall on the same
/// one take turns.
/// </summary>
internal static class BucketTypeNames
{
    private static readonly Entry?[] Places = new Entry?[256];

    private sealed record Entry(byte[] Utf8, string Name);

    /// <summary>The bytes as text; null where they are not UTF-8.</summary>
    public static string? Of(ReadOnlySpan<byte> utf8)
    {
        var hash = 17u;
        foreach (var value in utf8)
        {
            hash = (hash * 31) + value;
        }

        ref var place = ref Places[hash % (uint)Places.Length];
        if (place is { } known && utf8.SequenceEqual(known.Utf8))
        {
            return known.Name;
        }

        if (!System.Text.Unicode.Utf8.IsValid(utf8))
        {
            return null;
        }

        var name = Encoding.UTF8.GetString(utf8);
        place = new Entry(utf8.ToArray(), name);
        return name;
    }
}
