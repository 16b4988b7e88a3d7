using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Kv.Core.Causality;
using Kv.Core.Codecs;

namespace Kv.Core.Objects;

/// <summary>The reading half of <see cref="ObjectCodec"/>, past the header.</summary>
internal static class ObjectDecoder
{
    private const int MinSiblingBytes = 4;

    // Media types that most objects have: read without a new string for each.
    private static readonly string[] CommonTypes = ["application/octet-stream", "application/json", "text/plain", "application/xml", "text/html"];

    public static KvObject? Decode(ReadOnlyMemory<byte> stored, int headEnd, out DecodeFailure failure)
    {
        failure = default;
        var isHead = ObjectCodec.IsHead(stored.Span);
        var reader = new ByteReader(stored.Span[..headEnd], ObjectCodec.HeaderBytes);
        var clock = ClockCodec.Read(ref reader, out var reason);
        if (clock is null)
        {
            failure = new DecodeFailure(reader.Offset, reason);
            return null;
        }

        var count = reader.ReadCount(MinSiblingBytes);
        if (reader.Failed || count == 0)
        {
            failure = new DecodeFailure(reader.Offset, reader.Failed ? "the sibling count is malformed" : "it has no siblings");
            return null;
        }

        var siblings = new Sibling[count];
        var valueAt = headEnd;
        for (var i = 0; i < count; i++)
        {
            var sibling = ReadSibling(ref reader, clock, out var valueBytes);
            if (sibling is null)
            {
                failure = new DecodeFailure(reader.Offset, $"sibling {i} is cut short or malformed");
                return null;
            }

            if (!isHead && valueBytes > stored.Length - valueAt)
            {
                failure = new DecodeFailure(valueAt, $"the value of sibling {i} is cut short: {stored.Length - valueAt} of {valueBytes} bytes");
                return null;
            }

            siblings[i] = isHead
                ? valueBytes == 0 ? sibling : sibling with { AbsentValueBytes = valueBytes }
                : sibling with { Value = stored.Slice(valueAt, valueBytes) };
            valueAt += isHead ? 0 : valueBytes;
        }

        if (reader.Left != 0 || valueAt != stored.Length)
        {
            failure = new DecodeFailure(reader.Left != 0 ? reader.Offset : valueAt, "there are bytes past its end");
            return null;
        }

        return new KvObject(clock, ImmutableCollectionsMarshal.AsImmutableArray(siblings));
    }

    private static Sibling? ReadSibling(ref ByteReader reader, VersionVector clock, out int valueBytes)
    {
        var fields = (SiblingFields)reader.ReadByte();
        valueBytes = (int)reader.ReadVarint32(int.MaxValue);
        var zigzag = reader.ReadVarint();
        var vtag = ReadText(ref reader);
        var known = ((byte)fields & 0x80) == 0 && (fields & (SiblingFields.DotOfClock | SiblingFields.DotOfOther)) != (SiblingFields.DotOfClock | SiblingFields.DotOfOther);
        if (reader.Failed || !known || !TryReadDot(ref reader, fields, clock, out var dot))
        {
            return null;
        }

        var metadata = ReadMetadata(ref reader, fields);
        return reader.Failed || metadata is null
            ? null
            : new Sibling
            {
                Dot = dot,
                IsTombstone = (fields & SiblingFields.Tombstone) != 0,
                LastModifiedMicroseconds = (long)(zigzag >> 1) ^ -(long)(zigzag & 1),
                VTag = vtag,
                Metadata = metadata,
            };
    }

    private static bool TryReadDot(ref ByteReader reader, SiblingFields fields, VersionVector clock, out Dot? dot)
    {
        dot = null;
        if ((fields & SiblingFields.DotOfClock) != 0)
        {
            var position = reader.ReadVarint();
            if (position >= (ulong)clock.Entries.Length)
            {
                return false;
            }

            dot = new Dot(clock.Entries[(int)position].Actor, reader.ReadVarint());
        }
        else if ((fields & SiblingFields.DotOfOther) != 0)
        {
            var actor = ClockCodec.ReadActor(ref reader);
            dot = new Dot(actor, reader.ReadVarint());
        }

        return dot is null || (!reader.Failed && dot.Value.Counter != 0);
    }

    private static ObjectMetadata? ReadMetadata(ref ByteReader reader, SiblingFields fields)
    {
        const SiblingFields Any = SiblingFields.ContentType | SiblingFields.Charset | SiblingFields.ContentEncoding | SiblingFields.Lists;
        if ((fields & Any) == 0)
        {
            return ObjectMetadata.Empty;
        }

        var contentType = (fields & SiblingFields.ContentType) != 0 ? ReadContentType(ref reader) : null;
        var charset = (fields & SiblingFields.Charset) != 0 ? ReadText(ref reader) : null;
        var contentEncoding = (fields & SiblingFields.ContentEncoding) != 0 ? ReadText(ref reader) : null;
        if ((fields & SiblingFields.Lists) == 0)
        {
            return new ObjectMetadata { ContentType = contentType, Charset = charset, ContentEncoding = contentEncoding };
        }

        var links = ReadLinks(ref reader);
        var userMetadata = ReadPairs(ref reader);
        var indexes = ReadPairs(ref reader);
        return new ObjectMetadata
        {
            ContentType = contentType,
            Charset = charset,
            ContentEncoding = contentEncoding,
            Links = links,
            UserMetadata = userMetadata,
            Indexes = indexes,
        };
    }

    private static ImmutableArray<Link> ReadLinks(ref ByteReader reader)
    {
        var links = new Link[reader.ReadCount(3)];
        for (var i = 0; i < links.Length; i++)
        {
            var bucket = ReadText(ref reader);
            var key = ReadText(ref reader);
            links[i] = new Link(bucket, key, ReadText(ref reader));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(links);
    }

    private static ImmutableArray<KeyValuePair<string, string>> ReadPairs(ref ByteReader reader)
    {
        var pairs = new KeyValuePair<string, string>[reader.ReadCount(2)];
        for (var i = 0; i < pairs.Length; i++)
        {
            var name = ReadText(ref reader);
            pairs[i] = new KeyValuePair<string, string>(name, ReadText(ref reader));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(pairs);
    }

    private static string ReadContentType(ref ByteReader reader)
    {
        var bytes = reader.ReadBlock();
        foreach (var common in CommonTypes)
        {
            if (bytes.Length == common.Length && Ascii.Equals(bytes, common))
            {
                return common;
            }
        }

        return Text(bytes);
    }

    private static string ReadText(ref ByteReader reader) => Text(reader.ReadBlock());

    // Bytes that are no UTF-8 become replacement characters, as Encoding.UTF8 does it; the encoder never writes such.
    private static string Text(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "" : Encoding.UTF8.GetString(bytes);
}
