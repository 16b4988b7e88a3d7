using System.Text;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>`RpbContent` → `Content`, and the form in which two contents are compared: without what the cluster itself says of a write, lists without order sorted.</summary>
internal static class RiakContents
{
    private const string MetaPrefix = "X-Riak-Meta-";

    private static readonly Comparer<byte[]> Bytes = Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Fails where a text is not UTF-8: the target keeps texts, and bytes would be lost.</summary>
    public static Content Read(RpbContent content)
    {
        var read = new Content
        {
            Value = content.Value,
            ContentType = Text(content.ContentType, "the content type"),
            Charset = Text(content.Charset, "the charset"),
            ContentEncoding = Text(content.ContentEncoding, "the content encoding"),
        };
        read.Links.Add(content.Links.Select(link => new Link
        {
            Bucket = Text(link.Bucket, "a link's bucket"),
            Key = Text(link.Key, "a link's key"),
            Tag = Text(link.Tag, "a link's tag"),
        }));
        read.UserMetadata.Add(content.Usermeta.Select(pair => WithoutPrefix(Pair(pair, "user metadata"))));
        read.Indexes.Add(content.Indexes.Select(pair => Pair(pair, "an index entry")));
        return Comparable(read);
    }

    public static Content Comparable(Content content)
    {
        var plain = content.Clone();
        plain.Vtag = "";
        plain.LastModifiedMicroseconds = 0;
        Replace(plain.UserMetadata, Sorted(plain.UserMetadata));
        Replace(plain.Indexes, Sorted(plain.Indexes).Distinct());
        return plain;
    }

    /// <summary>Each once, in an order that is the same whoever gave them: what an import that was cut off has written is the beginning of it.</summary>
    public static IReadOnlyList<Content> Distinct(IEnumerable<Content> contents)
    {
        List<Content> each = [.. contents.Distinct()];
        return each.Count < 2 ? each : [.. each.OrderBy(content => content.ToByteArray(), Bytes)];
    }

    /// <summary>A counter of Riak 1.4 or the state of a data type, which no put can make.</summary>
    public static bool IsDataType(RpbContent content) => content.ContentType.Span.StartsWith("application/riak_"u8) && content.Value.Span is [69, ..];

    private static List<Pair> Sorted(IEnumerable<Pair> pairs) =>
        [.. pairs.OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)];

    private static void Replace(Google.Protobuf.Collections.RepeatedField<Pair> field, IEnumerable<Pair> pairs)
    {
        List<Pair> all = [.. pairs];
        field.Clear();
        field.Add(all);
    }

    private static Pair Pair(RpbPair pair, string what) => new() { Name = Text(pair.Key, what), Value = Text(pair.Value, what) };

    /// <summary>What came by HTTP Riak keeps under the header's whole name (riak_kv_wm_object:extract_user_meta); the target, and its HTTP, by the name behind the prefix.</summary>
    private static Pair WithoutPrefix(Pair pair)
    {
        if (pair.Name.Length > MetaPrefix.Length && pair.Name.StartsWith(MetaPrefix, StringComparison.OrdinalIgnoreCase))
        {
            pair.Name = pair.Name[MetaPrefix.Length..];
        }

        return pair;
    }

    private static string Text(ByteString bytes, string what)
    {
        try
        {
            return Strict.GetString(bytes.Span);
        }
        catch (DecoderFallbackException e)
        {
            throw new KeyRefusedException($"{what} is not UTF-8", e);
        }
    }
}
