using System.Buffers.Binary;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// Gives the node's vnodes their dots, none ever twice. One record in <see cref="INodeState"/> holds the node's epoch, and after a clean stop each
/// partition's counter. A start that finds no clean stop takes the next epoch with all counters at zero; either way the record is on disk,
/// marked as in use, before the first dot is given. A vnode that meets its own future in a clock (a volume was restored from a copy) takes a
/// higher epoch than any it has seen. Safe to call from any thread.
/// </summary>
internal sealed class VnodeActors : IDisposable
{
    // Layout of the record `vnode-actors`, integers little-endian:
    //   0  u8   format version, 1
    //   1  u8   1 after a clean stop, else 0
    //   2  u32  epoch
    //   6  u32  count, then count times: u32 partition, u64 counter (0 entries unless clean)
    private const string RecordName = "vnode-actors";
    private const byte FormatVersion = 1;
    private const int HeaderBytes = 10;
    private const int EntryBytes = 12;

    private const int MaxEpochStep = 1_000_000;

    private readonly INodeState state;
    private readonly SemaphoreSlim writing = new(1);

    // Guards counters and epoch.
    private readonly Lock gate = new();
    private readonly SortedDictionary<PartitionId, ulong> counters = [];
    private uint epoch;

    private VnodeActors(INodeState state, NodeId self)
    {
        this.state = state;
        Self = self;
    }

    public NodeId Self { get; }

    public uint Epoch
    {
        get
        {
            lock (gate)
            {
                return epoch;
            }
        }
    }

    /// <exception cref="StoreException">The record is damaged or of an unknown version.</exception>
    public static async ValueTask<VnodeActors> OpenAsync(INodeState state, NodeId self, CancellationToken cancel)
    {
        var actors = new VnodeActors(state, self);
        var wasClean = await state.ReadAsync(RecordName, cancel) is { } record && actors.Load(record.Span);
        if (!wasClean)
        {
            actors.counters.Clear();
            actors.epoch = checked(actors.epoch + 1);
        }

        await state.WriteAsync(RecordName, actors.Encode(clean: false), cancel);
        return actors;
    }

    /// <summary>The vnode's next event.</summary>
    public Dot Next(PartitionId partition)
    {
        lock (gate)
        {
            counters.TryGetValue(partition, out var counter);
            counters[partition] = ++counter;
            return new Dot(new ActorId(Self, partition, epoch), counter);
        }
    }

    /// <summary>Whether a clock holds events of this vnode that it does not remember.</summary>
    public bool HasForgotten(PartitionId partition, VersionVector clock)
    {
        foreach (var entry in clock.Entries)
        {
            if (entry.Actor.Node == Self && entry.Actor.Partition == partition && IsUnknown(entry))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes an epoch above all of this vnode's in the clock; on disk when it completes.</summary>
    public async ValueTask RaiseEpochAsync(PartitionId partition, VersionVector clock, CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            if (!HasForgotten(partition, clock))
            {
                return;
            }

            var highest = Epoch;
            foreach (var entry in clock.Entries)
            {
                if (entry.Actor.Node == Self && entry.Actor.Partition == partition && IsUnknown(entry))
                {
                    highest = Math.Max(highest, entry.Actor.Epoch);
                }
            }

            var raised = checked(highest + 1);
            await state.WriteAsync(RecordName, Encode(raised), cancel);
            lock (gate)
            {
                epoch = raised;
                counters.Clear();
            }
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Records the counters at a clean stop. No dot may be given afterwards.</summary>
    public async ValueTask CloseAsync(CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            await state.WriteAsync(RecordName, Encode(clean: true), cancel);
        }
        finally
        {
            writing.Release();
        }
    }

    public void Dispose() => writing.Dispose();

    private bool IsUnknown(ClockEntry entry)
    {
        lock (gate)
        {
            counters.TryGetValue(entry.Actor.Partition, out var counter);
            // An epoch far beyond is no memory of ours but a forged context; counting up to it would use up the epochs.
            var isPlausible = entry.Actor.Epoch - (long)epoch < MaxEpochStep;
            return (isPlausible && entry.Actor.Epoch > epoch) || (entry.Actor.Epoch == epoch && entry.Counter > counter);
        }
    }

    private bool Load(ReadOnlySpan<byte> record)
    {
        if (record.Length < HeaderBytes || record[0] != FormatVersion)
        {
            throw new StoreException($"the record {RecordName} has {record.Length} bytes and format version {(record.IsEmpty ? 0 : record[0])}; known is {FormatVersion}");
        }

        epoch = BinaryPrimitives.ReadUInt32LittleEndian(record[2..]);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(record[6..]);
        if (record.Length != HeaderBytes + ((long)count * EntryBytes))
        {
            throw new StoreException($"the record {RecordName} has {record.Length} bytes for {count} counters");
        }

        for (var at = HeaderBytes; at < record.Length; at += EntryBytes)
        {
            var partition = new PartitionId(BinaryPrimitives.ReadInt32LittleEndian(record[at..]));
            counters[partition] = BinaryPrimitives.ReadUInt64LittleEndian(record[(at + 4)..]);
        }

        return record[1] == 1;
    }

    private byte[] Encode(bool clean)
    {
        lock (gate)
        {
            var record = new byte[HeaderBytes + (clean ? counters.Count * EntryBytes : 0)];
            WriteHeader(record, clean, epoch, clean ? counters.Count : 0);
            var at = HeaderBytes;
            if (clean)
            {
                foreach (var (partition, counter) in counters)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(at), partition.Number);
                    BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(at + 4), counter);
                    at += EntryBytes;
                }
            }

            return record;
        }
    }

    private static byte[] Encode(uint inUse)
    {
        var record = new byte[HeaderBytes];
        WriteHeader(record, clean: false, inUse, 0);
        return record;
    }

    private static void WriteHeader(byte[] record, bool clean, uint epoch, int count)
    {
        record[0] = FormatVersion;
        record[1] = clean ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(2), epoch);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(6), count);
    }
}
