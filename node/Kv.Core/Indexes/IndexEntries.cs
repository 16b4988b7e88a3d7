using System.Text;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Core.Indexes;

/// <summary>
/// Index entries as the stores keep them, whose byte order is that of (bucket, field, term, key), and which entries an object has (riak_object:index_specs): those of all its siblings together; a
/// tombstone has none.
/// <code>
/// what all of the bucket's names begin with (ObjectKeyCodec)
/// field     UTF-8, in lower case
/// 00
/// term      see IndexTermCodec
/// key       as it is, to the end
/// </code>
/// </summary>
public static class IndexEntries
{
    public const string BinarySuffix = "_bin";
    public const string IntegerSuffix = "_int";

    /// <summary>Characters of a field's name and a term together at most; a write with a longer entry is refused.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>Of one object. What an object has is taken away by what it had, so that in a store that holds any this and <see cref="MaxBytes"/> stay as they are.</summary>
    public const int MaxEntries = 1000;

    /// <summary>Of one object's entries together, each with the names of its bucket and key: several hundred times what the writer sent, where those are long.</summary>
    public const int MaxBytes = 512 * 1024;

    public static bool IsInteger(string field) => field.EndsWith(IntegerSuffix, StringComparison.Ordinal);

    /// <summary>Whether there are fields of this name. One with a NUL would lie among another's terms.</summary>
    public static bool IsField(string field) => (field.EndsWith(BinarySuffix, StringComparison.Ordinal) || IsInteger(field)) && !field.Contains('\0', StringComparison.Ordinal);

    /// <summary>
    /// Each entry once. An `_int` term that is no integer, a field of another kind, and a term beyond <see cref="MaxLength"/> have none: front ends refuse them. Of an object whose siblings
    /// have more entries together than it may have (see <see cref="Fit"/>), those that come first.
    /// </summary>
    public static HashSet<ReadOnlyMemory<byte>> Of(ObjectKey name, KvObject held)
    {
        TryCollect(name, held.Siblings.AsSpan(), out var entries);
        return entries;
    }

    /// <summary>Whether siblings with this name have no more entries together than <see cref="MaxEntries"/> and <see cref="MaxBytes"/>. Takes no more memory than that.</summary>
    public static bool Fit(ObjectKey name, params ReadOnlySpan<Sibling> siblings) => TryCollect(name, siblings, out _);

    /// <summary>What the entries of a bucket's field begin with, and no others.</summary>
    public static byte[] FieldPrefix(BucketName bucket, string field) => [.. ObjectKeyCodec.BucketPrefix(bucket), .. Encoding.UTF8.GetBytes(field), 0];

    /// <summary>The bytes of a field's term; null for one that the field cannot have.</summary>
    public static byte[]? EncodeTerm(string field, string term)
    {
        if (!IsField(field))
        {
            return null;
        }

        if (!IsInteger(field))
        {
            return IndexTermCodec.Encode(term);
        }

        return IndexTermCodec.ParseInteger(term) is { } integer ? IndexTermCodec.Encode(integer) : null;
    }

    /// <summary>False where it stopped before the first entry that does not fit.</summary>
    private static bool TryCollect(ObjectKey name, ReadOnlySpan<Sibling> siblings, out HashSet<ReadOnlyMemory<byte>> entries)
    {
        entries = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance);
        byte[]? bucket = null;
        var bytes = 0;
        foreach (var sibling in siblings)
        {
            foreach (var (field, term) in sibling.Metadata.Indexes)
            {
                if ((long)field.Length + term.Length > MaxLength || EncodeTerm(field.ToLowerInvariant(), term) is not { } encoded)
                {
                    continue;
                }

                bucket ??= ObjectKeyCodec.BucketPrefix(new BucketName(name.BucketType, name.Bucket));
                byte[] entry = [.. bucket, .. Encoding.UTF8.GetBytes(field.ToLowerInvariant()), 0, .. encoded, .. name.Key.Span];
                bytes += entries.Add(entry) ? entry.Length : 0;
                if (entries.Count > MaxEntries || bytes > MaxBytes)
                {
                    entries.Remove(entry);
                    return false;
                }
            }
        }

        return true;
    }
}
