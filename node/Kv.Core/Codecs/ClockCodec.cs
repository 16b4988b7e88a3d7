using System.Runtime.InteropServices;
using Kv.Core.Causality;
using Kv.Core.Rings;

namespace Kv.Core.Codecs;

/// <summary>
/// A version vector's bytes, shared by stored objects and clients' contexts: varint entry count; then per entry, in ascending order of
/// actors, node u64, partition varint, epoch varint, counter varint (not 0), time varint (Unix seconds). Little endian.
/// </summary>
internal static class ClockCodec
{
    public const int MaxEntryBytes = 8 + 5 + 5 + ByteWriter.MaxVarintBytes + 5;
    private const int MinEntryBytes = 8 + 1 + 1 + 1 + 1;

    public static int MaxBytes(VersionVector clock) => 5 + (clock.Entries.Length * MaxEntryBytes);

    public static void Write(ref ByteWriter writer, VersionVector clock)
    {
        writer.WriteVarint((ulong)clock.Entries.Length);
        foreach (ref readonly var entry in clock.Entries.AsSpan())
        {
            WriteActor(ref writer, entry.Actor);
            writer.WriteVarint(entry.Counter);
            writer.WriteVarint(entry.UnixSeconds);
        }
    }

    /// <summary>The vector, or null with a reason.</summary>
    public static VersionVector? Read(ref ByteReader reader, out string reason)
    {
        var count = reader.ReadCount(MinEntryBytes);
        reason = "a clock is cut short or malformed";
        if (reader.Failed)
        {
            return null;
        }

        if (count == 0)
        {
            return VersionVector.Empty;
        }

        var entries = new ClockEntry[count];
        for (var i = 0; i < count; i++)
        {
            var entry = new ClockEntry(ReadActor(ref reader), reader.ReadVarint(), reader.ReadVarint32());
            if (reader.Failed)
            {
                return null;
            }

            if (entry.Counter == 0)
            {
                reason = "a clock has an entry with counter 0";
                return null;
            }

            if (i > 0 && entries[i - 1].Actor >= entry.Actor)
            {
                reason = "a clock's entries are out of order";
                return null;
            }

            entries[i] = entry;
        }

        return new VersionVector(ImmutableCollectionsMarshal.AsImmutableArray(entries));
    }

    public static void WriteActor(ref ByteWriter writer, ActorId actor)
    {
        writer.WriteUInt64(actor.Node.Value);
        writer.WriteVarint((ulong)(uint)actor.Partition.Number);
        writer.WriteVarint(actor.Epoch);
    }

    public static ActorId ReadActor(ref ByteReader reader)
    {
        var node = new NodeId(reader.ReadUInt64());
        var partition = new PartitionId((int)reader.ReadVarint32(int.MaxValue));
        return new ActorId(node, partition, reader.ReadVarint32());
    }
}
