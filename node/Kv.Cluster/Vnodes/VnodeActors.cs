using System.Buffers.Binary;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// Gives the node's vnodes their dots, none ever twice, and none under an actor that has forgotten an object it coordinated: such an actor's clock
/// would claim to cover what it does not know, and take siblings along. One record in <see cref="INodeState"/> holds the highest epoch of the node, and after a clean
/// stop each partition's epoch and counter. A start that finds no clean stop takes the next epoch for all; either way the record is on disk, marked as in
/// use, before the first dot is given. A vnode whose data was dropped, or that meets its own future in a clock (a volume was restored from a copy),
/// takes a new epoch of its own before it coordinates again. Safe to call from any thread.
/// </summary>
internal sealed class VnodeActors : IDisposable
{
    // Layout of the record `vnode-actors`, integers little-endian:
    //   0  u8   format version, 1
    //   1  u8   1 after a clean stop, else 0
    //   2  u32  highest epoch
    //   6  u32  epoch of the partitions that have no entry
    //  10  u32  count, then count times (none unless clean):
    //             u32 partition, u32 epoch, u64 counter, u8 1 where the data was dropped
    public const string RecordName = "vnode-actors";
    private const byte FormatVersion = 1;
    private const int HeaderBytes = 14;
    private const int EntryBytes = 17;

    // A clock may tell of epochs that the record does not know, since the volume was restored from a copy, or be forged. It is believed so far beyond and in the lower half of
    // all epochs alone: no number of forged clocks reaches the upper half, of which every new actor takes one.
    private const uint MaxEpochStep = 1_000_000;
    private const uint MaxBelievedEpoch = uint.MaxValue / 2;

    private readonly INodeState state;
    private readonly SemaphoreSlim writing = new(1);

    // Guards the three below.
    private readonly Lock gate = new();
    private readonly SortedDictionary<PartitionId, Actor> actors = [];
    private uint highestEpoch;
    private uint firstEpoch;

    private VnodeActors(INodeState state, NodeId self)
    {
        this.state = state;
        Self = self;
    }

    private readonly record struct Actor(uint Epoch, ulong Counter, bool HasForgotten);

    public NodeId Self { get; }

    /// <exception cref="StoreException">The record is damaged or of an unknown version, or no epoch is left.</exception>
    public static async ValueTask<VnodeActors> OpenAsync(INodeState state, NodeId self, CancellationToken cancel)
    {
        var opened = new VnodeActors(state, self);
        var wasClean = await state.ReadAsync(RecordName, cancel) is { } record && opened.Load(record.Span);
        if (!wasClean)
        {
            if (opened.highestEpoch == uint.MaxValue)
            {
                throw new StoreException($"the record {RecordName} holds the last epoch there is: the node's epochs are used up, and a new node has to take its place");
            }

            opened.actors.Clear();
            opened.highestEpoch = opened.firstEpoch = opened.highestEpoch + 1;
        }

        await state.WriteAsync(RecordName, opened.EncodeInUse(opened.highestEpoch), cancel);
        return opened;
    }

    /// <summary>The vnode's next event. Not while <see cref="HasForgotten"/>.</summary>
    public Dot Next(PartitionId partition)
    {
        lock (gate)
        {
            var actor = ActorOf(partition);
            actor = actor with { Counter = actor.Counter + 1 };
            actors[partition] = actor;
            return new Dot(new ActorId(Self, partition, actor.Epoch), actor.Counter);
        }
    }

    /// <summary>The partition's data goes: whoever coordinates there next is another actor.</summary>
    public void Forget(PartitionId partition)
    {
        lock (gate)
        {
            if (actors.TryGetValue(partition, out var actor))
            {
                actors[partition] = actor with { HasForgotten = true };
            }
        }
    }

    /// <summary>Whether the vnode's data was dropped since its last event, or the clock holds events of it that it does not remember.</summary>
    public bool HasForgotten(PartitionId partition, VersionVector clock)
    {
        lock (gate)
        {
            var actor = ActorOf(partition);
            if (actor.HasForgotten)
            {
                return true;
            }

            foreach (ref readonly var entry in clock.Entries.AsSpan())
            {
                if (IsUnknown(entry, partition, actor))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Makes the vnode a new actor, above all epochs in the clock that may have been its own; on disk when it completes. False, and nothing is changed, where no epoch is left.
    /// </summary>
    public async ValueTask<bool> TryRaiseEpochAsync(PartitionId partition, VersionVector clock, CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            uint raised;
            lock (gate)
            {
                raised = highestEpoch;
                var actor = ActorOf(partition);
                foreach (ref readonly var entry in clock.Entries.AsSpan())
                {
                    raised = IsUnknown(entry, partition, actor) ? Math.Max(raised, entry.Actor.Epoch) : raised;
                }

                if (raised == uint.MaxValue)
                {
                    return false;
                }

                raised++;
            }

            await state.WriteAsync(RecordName, EncodeInUse(raised), cancel);
            lock (gate)
            {
                highestEpoch = raised;
                actors[partition] = new Actor(raised, 0, HasForgotten: false);
            }

            return true;
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Records epochs and counters at a clean stop. No dot may be given afterwards.</summary>
    public async ValueTask CloseAsync(CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            await state.WriteAsync(RecordName, EncodeClean(), cancel);
        }
        finally
        {
            writing.Release();
        }
    }

    public void Dispose() => writing.Dispose();

    private Actor ActorOf(PartitionId partition) => actors.TryGetValue(partition, out var actor) ? actor : new Actor(firstEpoch, 0, HasForgotten: false);

    private bool IsUnknown(in ClockEntry entry, PartitionId partition, Actor actor)
    {
        if (entry.Actor.Node != Self || entry.Actor.Partition != partition || entry.Actor.Epoch < actor.Epoch)
        {
            return false;
        }

        return entry.Actor.Epoch == actor.Epoch ? entry.Counter > actor.Counter : IsBelieved(entry.Actor.Epoch);
    }

    private bool IsBelieved(uint epoch) => epoch <= highestEpoch || (epoch <= MaxBelievedEpoch && epoch - highestEpoch <= MaxEpochStep);

    private bool Load(ReadOnlySpan<byte> record)
    {
        if (record.Length < HeaderBytes || record[0] != FormatVersion)
        {
            throw new StoreException($"the record {RecordName} has {record.Length} bytes and format version {(record.IsEmpty ? 0 : record[0])}; known is {FormatVersion}");
        }

        highestEpoch = BinaryPrimitives.ReadUInt32LittleEndian(record[2..]);
        firstEpoch = BinaryPrimitives.ReadUInt32LittleEndian(record[6..]);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(record[10..]);
        if (record.Length != HeaderBytes + ((long)count * EntryBytes))
        {
            throw new StoreException($"the record {RecordName} has {record.Length} bytes for {count} partitions");
        }

        for (var at = HeaderBytes; at < record.Length; at += EntryBytes)
        {
            var partition = new PartitionId(BinaryPrimitives.ReadInt32LittleEndian(record[at..]));
            var epoch = BinaryPrimitives.ReadUInt32LittleEndian(record[(at + 4)..]);
            actors[partition] = new Actor(epoch, BinaryPrimitives.ReadUInt64LittleEndian(record[(at + 8)..]), record[at + 16] != 0);
        }

        return record[1] == 1;
    }

    private byte[] EncodeInUse(uint highest)
    {
        var record = new byte[HeaderBytes];
        WriteHeader(record, clean: false, highest, firstEpoch, 0);
        return record;
    }

    private byte[] EncodeClean()
    {
        lock (gate)
        {
            var record = new byte[HeaderBytes + (actors.Count * EntryBytes)];
            WriteHeader(record, clean: true, highestEpoch, firstEpoch, actors.Count);
            var at = HeaderBytes;
            foreach (var (partition, actor) in actors)
            {
                BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(at), partition.Number);
                BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(at + 4), actor.Epoch);
                BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(at + 8), actor.Counter);
                record[at + 16] = actor.HasForgotten ? (byte)1 : (byte)0;
                at += EntryBytes;
            }

            return record;
        }
    }

    private static void WriteHeader(byte[] record, bool clean, uint highest, uint first, int count)
    {
        record[0] = FormatVersion;
        record[1] = clean ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(2), highest);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(6), first);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(10), count);
    }
}
