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

    public static bool IsInteger(string field) => field.EndsWith(IntegerSuffix, StringComparison.Ordinal);

    /// <summary>Each entry once. An `_int` term that is no integer, and a field of another kind, has none: front ends refuse them.</summary>
    public static HashSet<ReadOnlyMemory<byte>> Of(ObjectKey name, KvObject held)
    {
        var entries = new HashSet<ReadOnlyMemory<byte>>(KeyBytesComparer.Instance);
        byte[]? bucket = null;
        foreach (var sibling in held.Siblings)
        {
            foreach (var (field, term) in sibling.Metadata.Indexes)
            {
                if (EncodeTerm(field.ToLowerInvariant(), term) is { } encoded)
                {
                    bucket ??= ObjectKeyCodec.BucketPrefix(new BucketName(name.BucketType, name.Bucket));
                    entries.Add((byte[])[.. bucket, .. Encoding.UTF8.GetBytes(field.ToLowerInvariant()), 0, .. encoded, .. name.Key.Span]);
                }
            }
        }

        return entries;
    }

    /// <summary>What the entries of a bucket's field begin with, and no others.</summary>
    public static byte[] FieldPrefix(BucketName bucket, string field) => [.. ObjectKeyCodec.BucketPrefix(bucket), .. Encoding.UTF8.GetBytes(field), 0];

    /// <summary>The bytes of a field's term; null for one that the field cannot have.</summary>
    public static byte[]? EncodeTerm(string field, string term)
    {
        if (field.EndsWith(BinarySuffix, StringComparison.Ordinal))
        {
            return IndexTermCodec.Encode(term);
        }

        return IsInteger(field) && IndexTermCodec.ParseInteger(term) is { } integer ? IndexTermCodec.Encode(integer) : null;
    }
}
