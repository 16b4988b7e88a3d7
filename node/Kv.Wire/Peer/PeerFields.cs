using System.Collections.Immutable;
using System.Globalization;
using Kv.Core.Causality;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// The parts that several messages share.
/// <code>
/// clock    count u32 | count × (node u64 | partition u32 | epoch u32 | counter u64 | seconds u32)
/// member   id u64 | state u8 | name text | zone text | count u32 | count × (protocol text, address text)
/// sibling  flags u8 (1 tombstone, 2 dot, 4 content type, 8 charset, 16 encoding) | modified i64 | vtag text | [node u64 | partition u32 | epoch u32 | counter u64]
///          | [text] [text] [text] | links: count u32 × 3 texts | user metadata: count u32 × 2 texts | indexes: count u32 × 2 texts | value (length u32, bytes)
/// </code>
/// </summary>
internal static class PeerFields
{
    private const int MaxTextBytes = 16 * 1024 * 1024;
    private const int ClockEntryBytes = 28;

    [Flags]
    private enum SiblingFlags
    {
        None = 0,
        Tombstone = 1,
        Dot = 2,
        ContentType = 4,
        Charset = 8,
        ContentEncoding = 16,
        All = 31,
    }

    public static PartitionId ReadPartition(ref WireReader reader) => CheckPartition(ref reader, reader.I32());

    public static PartitionId CheckPartition(ref WireReader reader, int number)
    {
        if (number is < 0 or >= Ring.MaxSize)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"partition {number}"));
            number = 0;
        }

        return new PartitionId(number);
    }

    public static void WriteFlags(WireWriter writer, IReadOnlyList<bool> flags)
    {
        writer.I32(flags.Count);
        foreach (var flag in flags)
        {
            writer.Flag(flag);
        }
    }

    public static bool[] ReadFlags(ref WireReader reader)
    {
        var flags = new bool[reader.Count(leastBytes: 1)];
        for (var i = 0; i < flags.Length && !reader.Failed; i++)
        {
            flags[i] = reader.Flag();
        }

        return flags;
    }

    public static void WriteKey(WireWriter writer, ObjectKey key)
    {
        writer.Text(key.BucketType);
        writer.Bytes(key.Bucket.Span);
        writer.Bytes(key.Key.Span);
    }

    public static ObjectKey ReadKey(ref WireReader reader)
    {
        var type = ReadType(ref reader);
        return new ObjectKey(type, reader.Bytes(ObjectKey.MaxBucketBytes), reader.Bytes(ObjectKey.MaxKeyBytes));
    }

    public static string ReadType(ref WireReader reader)
    {
        var bytes = reader.Bytes(ObjectKey.MaxTypeBytes);
        if (BucketTypeNames.Of(bytes.Span) is { } name)
        {
            return name;
        }

        reader.Fail("a bucket type that is not UTF-8");
        return "";
    }

    public static void WriteBallot(WireWriter writer, Ballot ballot)
    {
        writer.I64(ballot.Round);
        writer.U64(ballot.Node.Value);
    }

    public static Ballot ReadBallot(ref WireReader reader) => new(reader.I64(), new NodeId(reader.U64()));

    public static void WriteClock(WireWriter writer, VersionVector clock)
    {
        writer.I32(clock.Entries.Length);
        foreach (var entry in clock.Entries)
        {
            WriteActor(writer, entry.Actor);
            writer.U64(entry.Counter);
            writer.U32(entry.UnixSeconds);
        }
    }

    public static VersionVector ReadClock(ref WireReader reader)
    {
        var count = reader.Count(ClockEntryBytes);
        if (count == 0)
        {
            return VersionVector.Empty;
        }

        var entries = new ClockEntry[count];
        for (var i = 0; i < count; i++)
        {
            entries[i] = new ClockEntry(ReadActor(ref reader), reader.U64(), reader.U32());
            if (i > 0 && !reader.Failed && entries[i].Actor <= entries[i - 1].Actor)
            {
                reader.Fail("a clock whose actors are not in order");
            }
        }

        return reader.Failed ? VersionVector.Empty : VersionVector.FromEntries(entries);
    }

    public static void WriteMember(WireWriter writer, Member member)
    {
        writer.U64(member.Id.Value);
        writer.U8((byte)member.State);
        writer.Text(member.Name);
        writer.Text(member.Zone);
        writer.I32(member.Endpoints.Count);
        foreach (var (protocol, address) in member.Endpoints)
        {
            writer.Text(protocol);
            writer.Text(address);
        }
    }

    public static Member ReadMember(ref WireReader reader)
    {
        var (id, state, name, zone) = (new NodeId(reader.U64()), reader.U8(), reader.Text(), reader.Text());
        if (state > (byte)MemberState.Down)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown member state {state}"));
        }

        var endpoints = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var count = reader.Count(leastBytes: 8, most: 64);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            endpoints[reader.Text()] = reader.Text();
        }

        return new Member(id, name, zone, (MemberState)state, endpoints.ToImmutable());
    }

    public static void WriteSibling(WireWriter writer, Sibling sibling)
    {
        var metadata = sibling.Metadata;
        writer.U8((byte)((sibling.IsTombstone ? SiblingFlags.Tombstone : 0)
            | (sibling.Dot is not null ? SiblingFlags.Dot : 0)
            | (metadata.ContentType is not null ? SiblingFlags.ContentType : 0)
            | (metadata.Charset is not null ? SiblingFlags.Charset : 0)
            | (metadata.ContentEncoding is not null ? SiblingFlags.ContentEncoding : 0)));
        writer.I64(sibling.LastModifiedMicroseconds);
        writer.Text(sibling.VTag);
        if (sibling.Dot is { } dot)
        {
            WriteActor(writer, dot.Actor);
            writer.U64(dot.Counter);
        }

        WriteOptional(writer, metadata.ContentType);
        WriteOptional(writer, metadata.Charset);
        WriteOptional(writer, metadata.ContentEncoding);
        writer.I32(metadata.Links.Length);
        foreach (var link in metadata.Links)
        {
            writer.Text(link.Bucket);
            writer.Text(link.Key);
            writer.Text(link.Tag);
        }

        WritePairs(writer, metadata.UserMetadata);
        WritePairs(writer, metadata.Indexes);
        writer.Bytes(sibling.Value.Span);
    }

    public static Sibling ReadSibling(ref WireReader reader)
    {
        var flags = (SiblingFlags)reader.U8();
        if ((flags & ~SiblingFlags.All) != 0)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown flags {(int)flags} of a value"));
        }

        var (modified, vtag) = (reader.I64(), reader.Text());
        Dot? dot = flags.HasFlag(SiblingFlags.Dot) ? new Dot(ReadActor(ref reader), reader.U64()) : null;
        var metadata = new ObjectMetadata
        {
            ContentType = flags.HasFlag(SiblingFlags.ContentType) ? reader.Text(MaxTextBytes) : null,
            Charset = flags.HasFlag(SiblingFlags.Charset) ? reader.Text(MaxTextBytes) : null,
            ContentEncoding = flags.HasFlag(SiblingFlags.ContentEncoding) ? reader.Text(MaxTextBytes) : null,
            Links = ReadLinks(ref reader),
            UserMetadata = ReadPairs(ref reader),
            Indexes = ReadPairs(ref reader),
        };
        return new Sibling
        {
            Dot = dot,
            Value = reader.Bytes(),
            Metadata = metadata,
            IsTombstone = flags.HasFlag(SiblingFlags.Tombstone),
            LastModifiedMicroseconds = modified,
            VTag = vtag,
        };
    }

    private static void WriteActor(WireWriter writer, ActorId actor)
    {
        writer.U64(actor.Node.Value);
        writer.I32(actor.Partition.Number);
        writer.U32(actor.Epoch);
    }

    private static ActorId ReadActor(ref WireReader reader) => new(new NodeId(reader.U64()), ReadPartition(ref reader), reader.U32());

    private static void WriteOptional(WireWriter writer, string? text)
    {
        if (text is not null)
        {
            writer.Text(text);
        }
    }

    private static ImmutableArray<Link> ReadLinks(ref WireReader reader)
    {
        var count = reader.Count(leastBytes: 12);
        if (count == 0)
        {
            return [];
        }

        var links = ImmutableArray.CreateBuilder<Link>(count);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            links.Add(new Link(reader.Text(MaxTextBytes), reader.Text(MaxTextBytes), reader.Text(MaxTextBytes)));
        }

        return links.ToImmutable();
    }

    private static void WritePairs(WireWriter writer, ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        writer.I32(pairs.Length);
        foreach (var (name, value) in pairs)
        {
            writer.Text(name);
            writer.Text(value);
        }
    }

    private static ImmutableArray<KeyValuePair<string, string>> ReadPairs(ref WireReader reader)
    {
        var count = reader.Count(leastBytes: 8);
        if (count == 0)
        {
            return [];
        }

        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(count);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            pairs.Add(KeyValuePair.Create(reader.Text(MaxTextBytes), reader.Text(MaxTextBytes)));
        }

        return pairs.ToImmutable();
    }
}
