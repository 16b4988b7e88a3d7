using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>`RpbContent` ↔ a sibling (riak_pb_kv_codec). Values are wrapped and not copied.</summary>
internal static class PbContents
{
    private const long MicrosecondsPerSecond = 1_000_000;

    /// <summary>Its time and tag count in an `asis` write alone; a coordinator sets its own.</summary>
    public static Sibling Read(RpbContent content, ref PbFields fields) => new()
    {
        Dot = null,
        Value = content.Value.Memory,
        IsTombstone = content.Deleted,
        Metadata = IsPlain(content) ? ObjectMetadata.Empty : Metadata(content, ref fields),
        VTag = content.HasVtag ? fields.Text(content.Vtag, "the vtag") : "",
        LastModifiedMicroseconds = (content.LastMod * MicrosecondsPerSecond) + Math.Min(content.LastModUsecs, MicrosecondsPerSecond - 1),
    };

    public static void Write(RepeatedField<RpbContent> contents, KvObject source)
    {
        foreach (var sibling in source.Siblings)
        {
            contents.Add(Write(sibling));
        }
    }

    public static ByteString Context(VersionVector clock) => PbFields.Wrap(CausalContext.Encode(clock));

    private static bool IsPlain(RpbContent content) =>
        !content.HasContentType && !content.HasCharset && !content.HasContentEncoding && content.Links.Count == 0 && content.Usermeta.Count == 0 && content.Indexes.Count == 0;

    private static ObjectMetadata Metadata(RpbContent content, ref PbFields fields)
    {
        if (content.Indexes.Count > MessageLimits.MaxEntries || content.Usermeta.Count > MessageLimits.MaxEntries || content.Links.Count > MessageLimits.MaxEntries)
        {
            fields.Refuse(MessageLimits.TooManyEntries);
            return ObjectMetadata.Empty;
        }

        var links = ImmutableArray.CreateBuilder<Link>(content.Links.Count);
        foreach (var link in content.Links)
        {
            links.Add(new Link(fields.Text(link.Bucket, "a link's bucket"), fields.Text(link.Key, "a link's key"), fields.Text(link.Tag, "a link's tag")));
        }

        var indexes = Pairs(content.Indexes, "an index entry", ref fields);
        foreach (var (field, value) in indexes)
        {
            CheckIndex(field, value, ref fields);
        }

        return new ObjectMetadata
        {
            ContentType = content.HasContentType ? fields.Text(content.ContentType, "the content type") : null,
            Charset = content.HasCharset ? fields.Text(content.Charset, "the charset") : null,
            ContentEncoding = content.HasContentEncoding ? fields.Text(content.ContentEncoding, "the content encoding") : null,
            Links = links.MoveToImmutable(),
            UserMetadata = Pairs(content.Usermeta, "user metadata", ref fields),
            Indexes = indexes,
        };
    }

    private static void CheckIndex(string field, string value, ref PbFields fields)
    {
        switch (IndexField.Check(field, value))
        {
            case IndexProblem.UnknownType:
                fields.Refuse(PbErrors.UnknownIndexField(field));
                break;
            case IndexProblem.NotAnInteger:
                fields.Refuse(PbErrors.BadIndexValue(field, value));
                break;
        }
    }

    private static ImmutableArray<KeyValuePair<string, string>> Pairs(RepeatedField<RpbPair> pairs, string what, ref PbFields fields)
    {
        if (pairs.Count == 0)
        {
            return [];
        }

        var read = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(pairs.Count);
        foreach (var pair in pairs)
        {
            read.Add(KeyValuePair.Create(fields.Text(pair.Key, what), fields.Text(pair.Value, what)));
        }

        return read.MoveToImmutable();
    }

    private static RpbContent Write(Sibling sibling)
    {
        var content = new RpbContent { Value = PbFields.Wrap(sibling.Value), Vtag = ByteString.CopyFromUtf8(sibling.VTag) };
        var metadata = sibling.Metadata;
        if (metadata.ContentType is { } contentType)
        {
            content.ContentType = ByteString.CopyFromUtf8(contentType);
        }

        if (metadata.Charset is { } charset)
        {
            content.Charset = ByteString.CopyFromUtf8(charset);
        }

        if (metadata.ContentEncoding is { } encoding)
        {
            content.ContentEncoding = ByteString.CopyFromUtf8(encoding);
        }

        var microseconds = Math.Max(0, sibling.LastModifiedMicroseconds);
        content.LastMod = (uint)Math.Min(microseconds / MicrosecondsPerSecond, uint.MaxValue);
        content.LastModUsecs = (uint)(microseconds % MicrosecondsPerSecond);
        if (sibling.IsTombstone)
        {
            content.Deleted = true;
        }

        foreach (var link in metadata.Links)
        {
            content.Links.Add(new RpbLink
            {
                Bucket = ByteString.CopyFromUtf8(link.Bucket),
                Key = ByteString.CopyFromUtf8(link.Key),
                Tag = ByteString.CopyFromUtf8(link.Tag),
            });
        }

        Write(content.Usermeta, metadata.UserMetadata);
        Write(content.Indexes, metadata.Indexes);
        return content;
    }

    private static void Write(RepeatedField<RpbPair> field, ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        foreach (var (name, value) in pairs)
        {
            field.Add(new RpbPair { Key = ByteString.CopyFromUtf8(name), Value = ByteString.CopyFromUtf8(value) });
        }
    }
}
