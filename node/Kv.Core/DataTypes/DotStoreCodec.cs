using System.Collections.Immutable;
using System.Numerics;
using Kv.Core.Causality;
using Kv.Core.Codecs;

namespace Kv.Core.DataTypes;

/// <summary>
/// The bytes of what a counter, set or map holds (see <see cref="DataTypeCodec"/>). An event is the position of its actor in the state's clock, which covers all of them, and its counter.
/// <code>
/// events:   count, then each: actor's position, counter
/// set:      count, then each: member (block), events
/// map:      count, then each: kind (1), name (block), events, content by kind
/// flag:     events
/// register: count, then each: actor's position, counter, microseconds, value (block)
/// counter:  count, then each: actor's position, counter, sum (block, two's complement)
/// </code>
/// </summary>
internal static class DotStoreCodec
{
    public static void Write(GrowingWriter writer, DotStore store, VersionVector clock)
    {
        switch (store)
        {
            case SetStore set:
                WriteAll(writer, set.Members, member =>
                {
                    writer.WriteBlock(member.Value.Span);
                    WriteEvents(writer, member.Additions, clock);
                });
                break;
            case MapStore map:
                WriteAll(writer, map.Fields, field =>
                {
                    WriteField(writer, field.Name);
                    WriteEvents(writer, field.Updates, clock);
                    Write(writer, field.Content, clock);
                });
                break;
            case FlagStore flag:
                WriteEvents(writer, flag.Enablings, clock);
                break;
            case RegisterStore register:
                WriteAll(writer, register.Assignments, entry =>
                {
                    WriteDot(writer, entry.Dot, clock);
                    writer.WriteVarint((ulong)entry.Value.Microseconds);
                    writer.WriteBlock(entry.Value.Value.Span);
                });
                break;
            case CounterStore counter:
                WriteAll(writer, counter.Sums, entry =>
                {
                    WriteDot(writer, entry.Dot, clock);
                    writer.WriteBlock(entry.Value.ToByteArray());
                });
                break;
        }
    }

    /// <summary>A store of a kind; null for what is none, or too deep.</summary>
    public static DotStore? Read(ref ByteReader reader, DataTypeKind kind, VersionVector clock, int depth) => kind switch
    {
        DataTypeKind.Set => ReadSet(ref reader, clock),
        DataTypeKind.Map when depth <= DataTypeOperation.MaxDepth => ReadMap(ref reader, clock, depth),
        DataTypeKind.Flag => new FlagStore(ReadEvents(ref reader, clock)),
        DataTypeKind.Register => ReadRegister(ref reader, clock),
        DataTypeKind.Counter => ReadCounter(ref reader, clock),
        _ => null,
    };

    public static void Write(GrowingWriter writer, DeferredRemoval removal)
    {
        WriteAll(writer, removal.Path, field => WriteField(writer, field));
        WriteMembers(writer, removal.Members);
        WriteAll(writer, removal.Fields, field => WriteField(writer, field));
        writer.WriteClock(removal.Context);
    }

    public static DeferredRemoval? ReadRemoval(ref ByteReader reader)
    {
        var (path, members, fields) = (ReadFields(ref reader), ReadMembers(ref reader), ReadFields(ref reader));
        return ClockCodec.Read(ref reader, out _) is { } context ? new DeferredRemoval(path, members, fields, context) : null;
    }

    public static void WriteMembers(GrowingWriter writer, ImmutableArray<ReadOnlyMemory<byte>> members) => WriteAll(writer, members, member => writer.WriteBlock(member.Span));

    public static ImmutableArray<ReadOnlyMemory<byte>> ReadMembers(ref ByteReader reader)
    {
        var members = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(reader.ReadCount(1));
        for (var left = members.Capacity; left > 0 && !reader.Failed; left--)
        {
            members.Add(reader.ReadBlock().ToArray());
        }

        return members.DrainToImmutable();
    }

    private static ImmutableArray<FieldName> ReadFields(ref ByteReader reader)
    {
        var fields = ImmutableArray.CreateBuilder<FieldName>(reader.ReadCount(2));
        for (var left = fields.Capacity; left > 0 && !reader.Failed; left--)
        {
            fields.Add(ReadField(ref reader));
        }

        return fields.DrainToImmutable();
    }

    private static void WriteField(GrowingWriter writer, FieldName field)
    {
        writer.WriteByte((byte)field.Kind);
        writer.WriteBlock(field.Name.Span);
    }

    private static FieldName ReadField(ref ByteReader reader)
    {
        var kind = (DataTypeKind)reader.ReadByte();
        return new FieldName(reader.ReadBlock().ToArray(), kind);
    }

    private static SetStore ReadSet(ref ByteReader reader, VersionVector clock)
    {
        var members = ImmutableArray.CreateBuilder<SetMember>(reader.ReadCount(4));
        for (var left = members.Capacity; left > 0 && !reader.Failed; left--)
        {
            members.Add(new SetMember(reader.ReadBlock().ToArray(), ReadEvents(ref reader, clock)));
        }

        return new SetStore(members.DrainToImmutable());
    }

    private static MapStore? ReadMap(ref ByteReader reader, VersionVector clock, int depth)
    {
        var fields = ImmutableArray.CreateBuilder<MapField>(reader.ReadCount(4));
        for (var left = fields.Capacity; left > 0 && !reader.Failed; left--)
        {
            var name = ReadField(ref reader);
            var updates = ReadEvents(ref reader, clock);
            if (Read(ref reader, name.Kind, clock, depth + 1) is not { } content)
            {
                return null;
            }

            fields.Add(new MapField(name, updates, content));
        }

        return new MapStore(fields.DrainToImmutable());
    }

    private static RegisterStore ReadRegister(ref ByteReader reader, VersionVector clock)
    {
        var entries = ImmutableArray.CreateBuilder<DottedEntry<Assignment>>(reader.ReadCount(4));
        for (var left = entries.Capacity; left > 0 && !reader.Failed; left--)
        {
            entries.Add(new(ReadDot(ref reader, clock), new Assignment((long)reader.ReadVarint(), reader.ReadBlock().ToArray())));
        }

        return new RegisterStore(entries.DrainToImmutable());
    }

    private static CounterStore ReadCounter(ref ByteReader reader, VersionVector clock)
    {
        var entries = ImmutableArray.CreateBuilder<DottedEntry<BigInteger>>(reader.ReadCount(3));
        for (var left = entries.Capacity; left > 0 && !reader.Failed; left--)
        {
            entries.Add(new(ReadDot(ref reader, clock), new BigInteger(reader.ReadBlock())));
        }

        return new CounterStore(entries.DrainToImmutable());
    }

    private static void WriteEvents(GrowingWriter writer, ImmutableArray<DottedEntry<bool>> events, VersionVector clock) =>
        WriteAll(writer, events, entry => WriteDot(writer, entry.Dot, clock));

    private static ImmutableArray<DottedEntry<bool>> ReadEvents(ref ByteReader reader, VersionVector clock)
    {
        var events = ImmutableArray.CreateBuilder<DottedEntry<bool>>(reader.ReadCount(2));
        for (var left = events.Capacity; left > 0 && !reader.Failed; left--)
        {
            events.Add(new(ReadDot(ref reader, clock), true));
        }

        return events.DrainToImmutable();
    }

    private static void WriteDot(GrowingWriter writer, Dot dot, VersionVector clock)
    {
        var at = 0;
        while (clock.Entries[at].Actor != dot.Actor)
        {
            at++;
        }

        writer.WriteVarint((ulong)at);
        writer.WriteVarint(dot.Counter);
    }

    /// <summary>An event that the clock covers; any other fails the reading.</summary>
    private static Dot ReadDot(ref ByteReader reader, VersionVector clock)
    {
        var at = reader.ReadVarint32();
        var counter = reader.ReadVarint();
        if (at < clock.Entries.Length && counter > 0 && counter <= clock.Entries[(int)at].Counter)
        {
            return new Dot(clock.Entries[(int)at].Actor, counter);
        }

        reader.Fail();
        return default;
    }

    private static void WriteAll<T>(GrowingWriter writer, ImmutableArray<T> entries, Action<T> write)
    {
        writer.WriteVarint((ulong)entries.Length);
        foreach (var entry in entries)
        {
            write(entry);
        }
    }
}
