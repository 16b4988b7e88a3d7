using System.Buffers.Binary;
using Kv.Cluster.Peers;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Reaping;

/// <summary>
/// Keeps out what was read before a tombstone was reaped, however long it was on its way. Data for a replica carries the receiving node's fence as its sender
/// knew it before it read the data; the node refuses what is older than the partition's last seal, or of an earlier start, and the sender reads anew. Every
/// answer carries the fence of who answers. This is the node's own fence and what it knows of others'. Safe from any thread.
/// </summary>
public sealed class Fences
{
    // Layout of the record `starts`, integers little-endian: u8 format version 1 | u32 starts, this one included.
    public const string RecordName = "starts";
    private const byte FormatVersion = 1;
    private const int RecordBytes = 5;

    private readonly NodeId self;

    /// <summary>By partition, owned or not: the least generation of data that is taken.</summary>
    private readonly ulong[] seals = new ulong[Ring.MaxSize];

    // Guards changes of all below.
    private readonly Lock gate = new();
    private volatile KnownFences known = KnownFences.None;
    private uint starts;
    private ulong generation;
    private volatile bool isOpen;

    public Fences(NodeId self) => this.self = self;

    /// <summary>What goes with this node's answers. The default before <see cref="OpenAsync"/>.</summary>
    public Fence Own => known.Of(self);

    /// <summary>The newest fences known, this node's included; swapped whole, so that who reads data can keep what was known before.</summary>
    public KnownFences Known => known;

    /// <summary>Counts this start; on disk when it completes. Nothing is taken before, nor before <see cref="SetMember"/>.</summary>
    /// <exception cref="StoreException">The record is damaged or of an unknown version.</exception>
    public async ValueTask OpenAsync(INodeState files, CancellationToken cancel)
    {
        var before = await files.ReadAsync(RecordName, cancel) is { } record ? Decode(record.Span) : 0;
        var next = checked(before + 1);
        var written = new byte[RecordBytes];
        written[0] = FormatVersion;
        BinaryPrimitives.WriteUInt32LittleEndian(written.AsSpan(1), next);
        await files.WriteAsync(RecordName, written, cancel);
        lock (gate)
        {
            starts = next;
            Publish();
        }
    }

    /// <summary>
    /// Whether the node is a full member. One that becomes it closes all partitions to what is on its way: it was not asked before, when tombstones were reaped.
    /// </summary>
    public void SetMember(bool isMember)
    {
        lock (gate)
        {
            if (isMember && !isOpen)
            {
                Seal(Enumerable.Range(0, seals.Length).Select(number => new PartitionId(number)));
            }

            isOpen = isMember;
        }
    }

    /// <summary>Refuses from now on, for these partitions, whatever was read by somebody who did not know this seal.</summary>
    public void Seal(IEnumerable<PartitionId> partitions)
    {
        lock (gate)
        {
            generation++;
            foreach (var partition in partitions)
            {
                Volatile.Write(ref seals[partition.Number], generation);
            }

            Publish();
        }
    }

    /// <summary>Whether data that was read under this fence may be taken.</summary>
    // hot
    public bool Admits(PartitionId partition, Fence fence) =>
        isOpen && fence.Starts == starts && fence.Generation >= Volatile.Read(ref seals[partition.Number]);

    /// <summary>A node showed its fence. Of one start the highest counts; of two the one heard last, since a restored volume may count anew.</summary>
    // hot
    public void Saw(NodeId node, Fence fence)
    {
        var held = known.Of(node);
        if (fence.Starts == 0 || node == self || (fence.Starts == held.Starts && fence.Generation <= held.Generation))
        {
            return;
        }

        lock (gate)
        {
            held = known.Of(node);
            if (fence.Starts != held.Starts || fence.Generation > held.Generation)
            {
                known = known.With(node, fence);
            }
        }
    }

    // Needs the gate.
    private void Publish() => known = known.With(self, new Fence(starts, generation));

    private static uint Decode(ReadOnlySpan<byte> record) => record.Length == RecordBytes && record[0] == FormatVersion
        ? BinaryPrimitives.ReadUInt32LittleEndian(record[1..])
        : throw new StoreException($"the record {RecordName} has {record.Length} bytes and format version {(record.IsEmpty ? 0 : record[0])}; known is {FormatVersion}");
}
