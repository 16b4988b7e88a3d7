using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Kv.Core.Causality;
using Kv.Core.Codecs;

namespace Kv.Core.Objects;

/// <summary>
/// The stored form of an object: what stores keep and what nodes send each other. Everything but the values comes first, so that a head is a prefix, clocks are
/// read without the rest, and two copies are compared without their values. It has no checksum of its own: the log and the peer streams have theirs.
/// Little endian; varint is base 128, shortest form; text is varint length and UTF-8.
/// <code>
/// offset size
/// 0      2     magic 'K' 'O'
/// 2      1     version, 1
/// 3      1     form: 0 whole, 1 head (the values are left away)
/// 4      4     H, bytes of the head section
/// 8      H     head section:
///                clock                  ClockCodec
///                varint                 sibling count, at least 1
///                per sibling:
///                  u8                   fields: 1 tombstone, 2 dot of a clock's actor, 4 dot of another actor, 8 content type, 16 charset,
///                                       32 content encoding, 64 lists; 128 is refused
///                  varint               bytes of the value
///                  varint               last modified, microseconds since 1970 (zigzag)
///                  text                 vtag
///                  [2] varint, varint   position of the actor's entry in the clock, counter
///                  [4] actor, varint    actor, counter
///                  [8][16][32] text     content type, charset, content encoding
///                  [64] three lists     links (bucket, key, tag), user metadata (name, value), indexes (name, value): varint count, texts
/// 8 + H  ...   the values one after the other, in the order of the siblings; nothing in a head
/// </code>
/// </summary>
public static class ObjectCodec
{
    internal const byte Version = 1;
    internal const int HeaderBytes = 8;
    internal const byte WholeForm = 0;
    internal const byte HeadForm = 1;

    private const int MaxStackBytes = 1024;

    /// <summary>The stored form; of an object with values left away, its head.</summary>
    public static byte[] Encode(KvObject source) => source.IsHead ? EncodeHead(source) : Encode(source, WholeForm);

    /// <summary>The stored form without values.</summary>
    public static byte[] EncodeHead(KvObject source) => Encode(source, HeadForm);

    /// <summary>
    /// Reads a stored form. Values are slices of <paramref name="stored"/>, which must not change afterwards. Bytes that are no object give false and
    /// the reason; they never throw, nor take more memory than a small multiple of their length.
    /// </summary>
    public static bool TryDecode(ReadOnlyMemory<byte> stored, out KvObject result, out DecodeFailure failure)
    {
        result = null!;
        if (!TryReadHeader(stored.Span, out var headBytes, out failure))
        {
            return false;
        }

        var decoded = ObjectDecoder.Decode(stored, HeaderBytes + headBytes, out failure);
        result = decoded!;
        return decoded is not null;
    }

    /// <summary>Reads a stored form that this node wrote or checked before: damage here is corruption and throws <see cref="InvalidDataException"/>.</summary>
    public static KvObject Decode(ReadOnlyMemory<byte> stored) =>
        TryDecode(stored, out var result, out var failure) ? result : throw new InvalidDataException(failure.ToString());

    /// <summary>Reads the clock alone; null where the bytes are no object as far as the clock goes.</summary>
    public static VersionVector? PeekClock(ReadOnlySpan<byte> stored)
    {
        if (!TryReadHeader(stored, out var headBytes, out _))
        {
            return null;
        }

        var reader = new ByteReader(stored[..(HeaderBytes + headBytes)], HeaderBytes);
        return ClockCodec.Read(ref reader, out _);
    }

    /// <summary>Whether the bytes are those of a deleted object: all siblings are tombstones. Reads no further than it has to, which is seldom past the first one.</summary>
    public static bool IsTombstone(ReadOnlyMemory<byte> stored)
    {
        if (!TryReadHeader(stored.Span, out var headBytes, out _))
        {
            return false;
        }

        var reader = new ByteReader(stored.Span[..(HeaderBytes + headBytes)], HeaderBytes);
        if (ClockCodec.Read(ref reader, out _) is null)
        {
            return false;
        }

        var siblings = reader.ReadVarint();
        var isFirst = ((SiblingFields)reader.ReadByte()).HasFlag(SiblingFields.Tombstone) && !reader.Failed;
        return isFirst && (siblings == 1 || (TryDecode(stored, out var whole, out _) && whole.IsTombstone));
    }

    /// <summary>Whether the bytes are a head form: an object whose values were left away.</summary>
    public static bool IsHead(ReadOnlySpan<byte> stored) => stored.Length > 3 && stored[3] == HeadForm;

    /// <summary>The head of a stored form, without decoding it. Damaged bytes throw <see cref="InvalidDataException"/>.</summary>
    public static byte[] ToHead(ReadOnlySpan<byte> stored)
    {
        if (!TryReadHeader(stored, out var headBytes, out var failure))
        {
            throw new InvalidDataException(failure.ToString());
        }

        var head = stored[..(HeaderBytes + headBytes)].ToArray();
        head[3] = HeadForm;
        return head;
    }

    private static byte[] Encode(KvObject source, byte form)
    {
        // hot: the head section is written to a scratch buffer, then all is laid out at once in an array of the right size.
        var most = MaxHeadBytes(source);
        var rented = most > MaxStackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        var scratch = rented ?? stackalloc byte[MaxStackBytes];
        var writer = new ByteWriter(scratch);
        WriteHead(ref writer, source);
        var head = scratch[..writer.Written];

        var values = 0;
        if (form == WholeForm)
        {
            foreach (var sibling in source.Siblings)
            {
                values = checked(values + sibling.Value.Length);
            }
        }

        var stored = GC.AllocateUninitializedArray<byte>(HeaderBytes + head.Length + values);
        stored[0] = (byte)'K';
        stored[1] = (byte)'O';
        stored[2] = Version;
        stored[3] = form;
        BinaryPrimitives.WriteInt32LittleEndian(stored.AsSpan(4), head.Length);
        head.CopyTo(stored.AsSpan(HeaderBytes));
        if (form == WholeForm)
        {
            var rest = stored.AsSpan(HeaderBytes + head.Length);
            foreach (var sibling in source.Siblings)
            {
                sibling.Value.Span.CopyTo(rest);
                rest = rest[sibling.Value.Length..];
            }
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return stored;
    }

    private static int MaxHeadBytes(KvObject source)
    {
        var most = ClockCodec.MaxBytes(source.Clock) + 5;
        foreach (var sibling in source.Siblings)
        {
            var metadata = sibling.Metadata;
            most += 1 + 5 + (2 * ByteWriter.MaxVarintBytes) + ClockCodec.MaxEntryBytes + 15 + ByteWriter.MaxTextBytes(sibling.VTag)
                + ByteWriter.MaxTextBytes(metadata.ContentType) + ByteWriter.MaxTextBytes(metadata.Charset) + ByteWriter.MaxTextBytes(metadata.ContentEncoding);
            foreach (var link in metadata.Links)
            {
                most += ByteWriter.MaxTextBytes(link.Bucket) + ByteWriter.MaxTextBytes(link.Key) + ByteWriter.MaxTextBytes(link.Tag);
            }

            most += MaxPairsBytes(metadata.UserMetadata) + MaxPairsBytes(metadata.Indexes);
        }

        return most;
    }

    private static int MaxPairsBytes(ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        var most = 0;
        foreach (var (name, value) in pairs)
        {
            most += ByteWriter.MaxTextBytes(name) + ByteWriter.MaxTextBytes(value);
        }

        return most;
    }

    private static void WriteHead(ref ByteWriter writer, KvObject source)
    {
        ClockCodec.Write(ref writer, source.Clock);
        writer.WriteVarint((ulong)source.Siblings.Length);
        foreach (var sibling in source.Siblings)
        {
            WriteSibling(ref writer, sibling, source.Clock);
        }
    }

    private static void WriteSibling(ref ByteWriter writer, Sibling sibling, VersionVector clock)
    {
        var metadata = sibling.Metadata;
        var position = sibling.Dot is { } held ? PositionOf(clock, held.Actor) : -1;
        var fields = SiblingFields.None;
        fields |= sibling.IsTombstone ? SiblingFields.Tombstone : 0;
        fields |= sibling.Dot is null ? 0 : position >= 0 ? SiblingFields.DotOfClock : SiblingFields.DotOfOther;
        fields |= metadata.ContentType is null ? 0 : SiblingFields.ContentType;
        fields |= metadata.Charset is null ? 0 : SiblingFields.Charset;
        fields |= metadata.ContentEncoding is null ? 0 : SiblingFields.ContentEncoding;
        fields |= metadata.Links.IsEmpty && metadata.UserMetadata.IsEmpty && metadata.Indexes.IsEmpty ? 0 : SiblingFields.Lists;

        writer.WriteByte((byte)fields);
        writer.WriteVarint((ulong)sibling.ValueBytes);
        writer.WriteVarint((ulong)((sibling.LastModifiedMicroseconds << 1) ^ (sibling.LastModifiedMicroseconds >> 63)));
        writer.WriteText(sibling.VTag);
        if (sibling.Dot is { } dot)
        {
            if (position >= 0)
            {
                writer.WriteVarint((ulong)position);
            }
            else
            {
                ClockCodec.WriteActor(ref writer, dot.Actor);
            }

            writer.WriteVarint(dot.Counter);
        }

        WriteOptional(ref writer, metadata.ContentType);
        WriteOptional(ref writer, metadata.Charset);
        WriteOptional(ref writer, metadata.ContentEncoding);
        if ((fields & SiblingFields.Lists) != 0)
        {
            WriteLists(ref writer, metadata);
        }
    }

    private static void WriteLists(ref ByteWriter writer, ObjectMetadata metadata)
    {
        writer.WriteVarint((ulong)metadata.Links.Length);
        foreach (var link in metadata.Links)
        {
            writer.WriteText(link.Bucket);
            writer.WriteText(link.Key);
            writer.WriteText(link.Tag);
        }

        WritePairs(ref writer, metadata.UserMetadata);
        WritePairs(ref writer, metadata.Indexes);
    }

    private static void WritePairs(ref ByteWriter writer, ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        writer.WriteVarint((ulong)pairs.Length);
        foreach (var (name, value) in pairs)
        {
            writer.WriteText(name);
            writer.WriteText(value);
        }
    }

    private static void WriteOptional(ref ByteWriter writer, string? text)
    {
        if (text is not null)
        {
            writer.WriteText(text);
        }
    }

    private static int PositionOf(VersionVector clock, ActorId actor)
    {
        var entries = clock.Entries.AsSpan();
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Actor == actor)
            {
                return i;
            }
        }

        return -1;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> stored, out int headBytes, out DecodeFailure failure)
    {
        headBytes = 0;
        failure = default;
        if (stored.Length < HeaderBytes || stored[0] != 'K' || stored[1] != 'O')
        {
            failure = new DecodeFailure(0, stored.Length < HeaderBytes ? $"{stored.Length} bytes are too few" : "the magic bytes are missing");
            return false;
        }

        if (stored[2] != Version)
        {
            failure = new DecodeFailure(2, $"format version {stored[2]} is unknown; this build reads version {Version}");
            return false;
        }

        if (stored[3] is not (WholeForm or HeadForm))
        {
            failure = new DecodeFailure(3, $"form {stored[3]} is unknown");
            return false;
        }

        headBytes = BinaryPrimitives.ReadInt32LittleEndian(stored[4..]);
        if (headBytes < 0 || headBytes > stored.Length - HeaderBytes)
        {
            failure = new DecodeFailure(4, $"a head of {headBytes} bytes does not fit {stored.Length} bytes");
            return false;
        }

        return true;
    }
}
