using System.Threading.Channels;
using Kv.Cluster.Reaping;
using Kv.Core.AntiEntropy;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// One turn of a vnode: the commands taken from the mailbox, the keys they name with their values as the turn goes on (two commands on a key see
/// each other), and what is to be read and written. Reused; has one owner at a time.
/// </summary>
internal sealed class VnodePass
{
    /// <summary>A turn that has more to write leaves what is only misplaced to another.</summary>
    private const long MaxMovedBytes = 16 * 1024 * 1024;

    private readonly Dictionary<ReadOnlyMemory<byte>, int> positions = new(KeyBytesComparer.Instance);
    private readonly List<Slot> slots = [];
    private KeyBackends? backends;
    private int used;

    /// <summary>A key's value within the turn.</summary>
    public sealed class Slot
    {
        public ReadOnlyMemory<byte> Key { get; set; }

        public StoreBackend Backend { get; set; }

        /// <summary>The stored form; null where there is none.</summary>
        public ReadOnlyMemory<byte>? Value { get; set; }

        /// <summary>What the store had when the turn began.</summary>
        public ReadOnlyMemory<byte>? Before { get; set; }

        /// <summary>The index has the entries of <see cref="Before"/>.</summary>
        public bool IsIndexed { get; set; }

        /// <summary>The store has it by hash, where nothing scans for it: it is written to its place, whatever becomes of it.</summary>
        public bool IsMisplaced { get; set; }

        /// <summary>The store had no memory to read it: commands on it are refused.</summary>
        public bool IsRefused { get; set; }

        /// <summary>To be written at the end of the turn.</summary>
        public bool IsDirty { get; set; }

        /// <summary>What changed is that it went to its owner, and nothing since: nobody relies on its being here.</summary>
        public bool IsForgotten { get; set; }

        /// <summary>Unchanged, but an answer says that it is durable.</summary>
        public bool IsConfirmed { get; set; }
    }

    public List<VnodeCommand> Commands { get; } = [];

    public ReadBatch Reads { get; } = new();

    public WriteBatch Writes { get; } = new();

    /// <summary>Writes on their way to a transfer's target.</summary>
    public List<Task<bool>> PassedOn { get; } = [];

    public VnodeTransfer? Transfer { get; set; }

    /// <summary>What was known before the turn read anything.</summary>
    public KnownFences Fences { get; set; } = KnownFences.None;

    /// <summary>An answer speaks of all that was applied before: it waits until all of that is on disk and with its transfer's target.</summary>
    public bool ConfirmsAll { get; set; }

    /// <summary>Whether some key could not be read.</summary>
    public bool HasRefused { get; private set; }

    /// <summary>By which the turn's changes go into hash trees; null where none are kept.</summary>
    public TreeLayout? Layout { get; private set; }

    public VnodeCommand.Drop? Drop { get; private set; }

    /// <summary>Takes what waits in the mailbox, up to a bound; a drop ends the turn.</summary>
    public void Fill(ChannelReader<VnodeCommand> mailbox, VnodeContext context)
    {
        (Layout, backends) = (context.Layout, context.Backends);
        var limit = context.Options.VnodeBatchLimit;
        while (Commands.Count < limit && Drop is null && mailbox.TryRead(out var command))
        {
            Commands.Add(command);
            Drop = command as VnodeCommand.Drop;
            NameKeys(command);
        }
    }

    public Slot SlotOf(ReadOnlyMemory<byte> key) => slots[positions[key]];

    public async ValueTask ReadAsync(IPartitionStore store)
    {
        for (var i = 0; i < used; i++)
        {
            Reads.Add(slots[i].Key, slots[i].Backend);
        }

        if (Reads.Count == 0)
        {
            return;
        }

        await store.ReadAsync(Reads, CancellationToken.None);
        for (var i = 0; i < used; i++)
        {
            slots[i].IsRefused = Reads.IsRefused(i);
            HasRefused |= slots[i].IsRefused;
            slots[i].IsMisplaced = Reads.IsMisplaced(i) && !slots[i].IsRefused;
            slots[i].IsIndexed = slots[i].Backend == StoreBackend.Ordered && !Reads.IsMisplaced(i);
            slots[i].Value = slots[i].Before = Reads.Value(i);
        }
    }

    /// <summary>Whether a key that the command names could not be read.</summary>
    public bool IsRefused(VnodeCommand command) => command switch
    {
        VnodeCommand.Get get => SlotOf(get.Key).IsRefused,
        VnodeCommand.Coordinate coordinate => SlotOf(coordinate.Key).IsRefused,
        VnodeCommand.Merge merge => SlotOf(merge.Key).IsRefused,
        VnodeCommand.MergeBatch batch => batch.Entries.Any(entry => SlotOf(entry.Key).IsRefused),
        VnodeCommand.Confirm confirm => confirm.Keys.Any(held => SlotOf(held.Key).IsRefused),
        VnodeCommand.Reap reap => reap.Keys.Any(held => SlotOf(held.Key).IsRefused),
        _ => false,
    };

    /// <summary>Keys changed in this turn, or said to be held already: whoever was told so relies on them being here.</summary>
    public int Touched
    {
        get
        {
            var touched = 0;
            for (var i = 0; i < used; i++)
            {
                touched += (slots[i].IsDirty && !slots[i].IsForgotten) || slots[i].IsConfirmed ? 1 : 0;
            }

            return touched;
        }
    }

    /// <summary>Whether some answer says that a key is here already.</summary>
    public bool HasConfirmed
    {
        get
        {
            for (var i = 0; i < used; i++)
            {
                if (slots[i].IsConfirmed && !slots[i].IsDirty)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether some answer waits for durability.</summary>
    public bool HasWaiting
    {
        get
        {
            foreach (var command in Commands)
            {
                if (command.AwaitsDurability)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether a command's answer holds only if the turn's writes are taken.</summary>
    public bool DependsOnWrites(VnodeCommand command) => command.AwaitsDurability || command switch
    {
        VnodeCommand.Get get => SlotOf(get.Key).IsDirty,
        VnodeCommand.Coordinate coordinate => SlotOf(coordinate.Key).IsDirty,
        VnodeCommand.BuildTrees build => build.IsWhole,
        _ => false,
    };

    /// <summary>Puts the changed keys into <see cref="Writes"/>; those confirmed too, where what was written before was not synced.</summary>
    public void CollectWrites(bool alsoConfirmed)
    {
        for (var i = 0; i < used; i++)
        {
            var isMoved = slots[i].IsMisplaced && Writes.Bytes < MaxMovedBytes;
            if (!slots[i].IsDirty && !isMoved && !(alsoConfirmed && slots[i].IsConfirmed))
            {
                continue;
            }

            Writes.Add(new WriteBatch.Entry(slots[i].Key, slots[i].Value, slots[i].Backend) { IsMisplaced = slots[i].IsMisplaced });
            if (slots[i].Backend == StoreBackend.Ordered)
            {
                CollectIndexChanges(slots[i]);
            }
        }
    }

    /// <summary>The difference between the entries of what was stored and of what is stored now.</summary>
    private void CollectIndexChanges(Slot slot)
    {
        if (!ObjectKeyCodec.TryDecode(slot.Key, out var name))
        {
            return;
        }

        var before = slot is { IsIndexed: true, Before: { } held } ? IndexEntries.Of(name, StoredForm.Decode(held)) : [];
        var after = slot.Value is { } value ? IndexEntries.Of(name, StoredForm.Decode(value)) : [];
        foreach (var entry in before)
        {
            if (!after.Contains(entry))
            {
                Writes.Change(new IndexChange(entry, IsAdded: false));
            }
        }

        foreach (var entry in after)
        {
            if (!before.Contains(entry))
            {
                Writes.Change(new IndexChange(entry, IsAdded: true));
            }
        }
    }

    /// <summary>What the turn does to the trees of a layout.</summary>
    // hot
    public void CollectTreeChanges(PartitionId partition, TreeLayout layout, List<TreeChange> changes)
    {
        for (var i = 0; i < used; i++)
        {
            var slot = slots[i];
            if (!slot.IsDirty || !ObjectKeyCodec.TryDecode(slot.Key, out var name) || layout.RangeAt(partition, name) is not { } range)
            {
                continue;
            }

            var key = EntryHash.OfKey(slot.Key.Span);
            changes.Add(TreeChange.Of(range, key, HashOf(key, slot.Before), HashOf(key, slot.Value)));
        }
    }

    public void Clear()
    {
        for (var i = 0; i < used; i++)
        {
            slots[i].Key = default;
            slots[i].Value = slots[i].Before = null;
            slots[i].IsRefused = false;
            slots[i].IsIndexed = slots[i].IsMisplaced = false;
            slots[i].IsDirty = false;
            slots[i].IsConfirmed = false;
            slots[i].IsForgotten = false;
        }

        used = 0;
        positions.Clear();
        Commands.Clear();
        Reads.Clear();
        Writes.Clear();
        PassedOn.Clear();
        Transfer = null;
        Fences = KnownFences.None;
        ConfirmsAll = false;
        HasRefused = false;
        Layout = null;
        Drop = null;
    }

    private void NameKeys(VnodeCommand command)
    {
        switch (command)
        {
            case VnodeCommand.Get get:
                Name(get.Key);
                break;
            case VnodeCommand.Coordinate coordinate:
                Name(coordinate.Key);
                break;
            case VnodeCommand.Merge merge:
                Name(merge.Key);
                break;
            case VnodeCommand.Confirm confirm:
                NameAll(confirm.Keys);
                break;
            case VnodeCommand.Reap reap:
                NameAll(reap.Keys);
                break;
            case VnodeCommand.MergeBatch batch:
                NameAll(batch.Entries);
                break;
            case VnodeCommand.Forget forget:
                NameAll(forget.Entries);
                break;
        }
    }

    private void NameAll(IReadOnlyList<HeldKey> keys)
    {
        foreach (var held in keys)
        {
            Name(held.Key);
        }
    }

    private void NameAll(IReadOnlyList<StoredEntry> entries)
    {
        foreach (var entry in entries)
        {
            Name(entry.Key);
        }
    }

    private static ulong HashOf(ulong key, ReadOnlyMemory<byte>? value) => value is { } present ? EntryHash.OfEntry(key, present.Span) : 0;

    private void Name(ReadOnlyMemory<byte> key)
    {
        if (!positions.TryGetValue(key, out var position))
        {
            position = used++;
            positions.Add(key, position);
            if (position == slots.Count)
            {
                slots.Add(new Slot());
            }

            slots[position].Key = key;
            slots[position].Backend = backends!.Of(key.Span);
        }
    }
}
