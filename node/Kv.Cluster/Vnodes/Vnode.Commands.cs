using System.Diagnostics.CodeAnalysis;
using Kv.Cluster.Coordination;
using Kv.Cluster.Peers;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>What each command does to the values of its turn.</summary>
public sealed partial class Vnode
{
    private void Apply(VnodeCommand command, VnodePass pass)
    {
        switch (command)
        {
            case VnodeCommand.Get get:
                ApplyGet(get, pass.SlotOf(get.Key));
                break;
            case VnodeCommand.Coordinate coordinate:
                ApplyCoordinate(coordinate, pass.SlotOf(coordinate.Key));
                break;
            case VnodeCommand.Merge merge:
                ApplyMerge(merge, pass.SlotOf(merge.Key));
                break;
            case VnodeCommand.MergeBatch batch:
                ApplyMergeBatch(batch, pass);
                break;
            case VnodeCommand.Confirm confirm:
                ApplyConfirm(confirm, pass);
                break;
            case VnodeCommand.Reap reap:
                ApplyReap(reap, pass);
                break;
            case VnodeCommand.Forget forget:
                ApplyForget(forget, pass);
                break;
            case VnodeCommand.BeginTransfer begin:
                transfer?.End();
                Volatile.Write(ref transfer, begin.Transfer);
                begin.Pending = VnodeReply.Done;
                break;
        }
    }

    private static void ApplyGet(VnodeCommand.Get get, VnodePass.Slot slot)
    {
        get.Pending = slot.Value is not { } stored
            ? VnodeReply.Missing
            : new VnodeReply(new PeerReply.Object(get.HeadOnly ? ObjectCodec.ToHead(stored.Span) : stored));
    }

    private void ApplyCoordinate(VnodeCommand.Coordinate command, VnodePass.Slot slot)
    {
        var props = command.Props;
        var local = slot.Value is { } held ? StoredForm.Decode(held) : null;
        var dot = context.Actors.Next(Partition);
        if (!KvObject.IsNewEvent(local, command.Context, dot))
        {
            command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: new KvError.InvalidRequest("the causal context is not one that this cluster gave"));
            return;
        }

        var now = props.TtlSeconds is null ? context.Time.GetUtcNow() : context.Clocks.Stamp;
        var over = props.TtlSeconds is null ? null : context.Clocks.Certain;
        var microseconds = Expiry.Microseconds(now);
        var (content, seen) = (command.Content, command.Context);
        if (command.IsExpiry)
        {
            if (local is null || !seen.Descends(local.Clock) || over is not { } end || !Expiry.IsOver(local, props, end))
            {
                command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: new KvError.Modified());
                return;
            }

            // Newer than what is over, and older than whatever somebody has written since, here or elsewhere: where one value is kept, that one stays.
            microseconds = local.Newest.LastModifiedMicroseconds + 1;
        }
        else if (local is not null && over is { } then && Expiry.Left(local, props, then) is var left && left != local)
        {
            // What nobody can read any more is replaced by whatever is written.
            (local, seen) = left is null ? (local, seen.Merge(local.Clock)) : (left, seen);
        }

        if (command.Update is { } update)
        {
            if (DataTypeUpdates.Apply(update, local, new DataTypeEvent(dot, microseconds, update.Context), props, out var refusal) is not { } updated)
            {
                command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: refusal);
                return;
            }

            (content, seen) = (updated, local?.Clock ?? VersionVector.Empty);
        }
        else if (props.DataType is not null && content.IsTombstone)
        {
            (content, seen) = DataTypeObject.Tombstone(content, local, seen, props);
        }

        content = content with { VTag = VTags.Of(dot), LastModifiedMicroseconds = microseconds };
        var written = KvObject.Coordinate(local, content, seen, dot, (uint)now.ToUnixTimeSeconds(), props);

        // The clock of a data type's state is a part of the object's: an event that the one forgot could pass for new.
        written = props.DataType is null && command.Update is null ? written.Prune(props, (uint)now.ToUnixTimeSeconds()) : written;
        if (written.Siblings.Length > context.Options.MaxSiblings)
        {
            command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: new KvError.TooManySiblings(written.Siblings.Length, context.Options.MaxSiblings));
            return;
        }

        if (slot.Backend == StoreBackend.Ordered && written.Siblings.Length > 1 && ObjectKeyCodec.TryDecode(slot.Key, out var name) && !IndexEntries.Fit(name, written.Siblings.AsSpan()))
        {
            command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: KvErrors.TooManyIndexEntries);
            return;
        }

        ReadOnlyMemory<byte> stored = ObjectCodec.Encode(written);
        var maximum = Math.Min(context.Options.MaxObjectBytes, store.MaxValueBytes);
        if (stored.Length > maximum)
        {
            command.Pending = new VnodeReply(VnodeReply.Done.Reply, Error: new KvError.ObjectTooLarge(stored.Length, maximum));
            return;
        }

        if (!TakesRoom(slot, stored))
        {
            command.Pending = VnodeReply.Overloaded;
            return;
        }

        context.Statistics.ObjectWritten(written, stored.Length, context.Options);
        slot.Value = stored;
        slot.IsDirty = true;
        slot.IsForgotten = false;
        command.AwaitsDurability = true;
        command.Pending = new VnodeReply(VnodeReply.Done.Reply, written, stored);
    }

    private void ApplyMerge(VnodeCommand.Merge command, VnodePass.Slot slot)
    {
        if (command.Stored.Length > store.MaxValueBytes)
        {
            command.Pending = new VnodeReply(new PeerReply.Refused($"an object of {command.Stored.Length} bytes is beyond the store's {store.MaxValueBytes}"));
            return;
        }

        if (!ReplicaRules.TryMerge(slot.Value, command.Stored, command.Props, out var kept, out var reason) || !Fits(kept, out reason))
        {
            command.Pending = new VnodeReply(new PeerReply.Refused(reason));
            return;
        }

        if (kept is not null && !Takes(command.Key, command.Fence))
        {
            command.Pending = VnodeReply.StaleFence;
            return;
        }

        if (kept is { } merged && !command.IsPassedOn && !TakesRoom(slot, merged))
        {
            command.Pending = VnodeReply.Overloaded;
            return;
        }

        Keep(slot, kept);
        command.AwaitsDurability = true;
        command.Pending = VnodeReply.Done;
    }

    private void ApplyMergeBatch(VnodeCommand.MergeBatch command, VnodePass pass)
    {
        command.Pending = VnodeReply.Done;
        command.AwaitsDurability = true;
        foreach (var entry in command.Entries)
        {
            string? reason = "a key that cannot be read";
            if (!ObjectKeyCodec.TryDecode(entry.Key, out var key)
                || !ReplicaRules.TryMerge(pass.SlotOf(entry.Key).Value, entry.Value, context.PropsOf(key), out var kept, out reason)
                || !Fits(kept, out reason))
            {
                // What could be read stays merged; the sender keeps everything.
                command.Pending = new VnodeReply(new PeerReply.Refused(PeerReply.Refused.OfObject + reason));
                return;
            }

            if (kept is not null && !Takes(entry.Key, command.Fence))
            {
                command.Pending = VnodeReply.StaleFence;
                return;
            }

            Keep(pass.SlotOf(entry.Key), kept);
        }
    }

    /// <summary>
    /// Whether something from elsewhere may change a key. A change either disturbs the inspection of a reaper that has yet to seal the key, or comes after the seal, and
    /// then the second look at the fence sees it.
    /// </summary>
    // hot
    private bool Takes(ReadOnlyMemory<byte> key, Fence fence)
    {
        if (!context.Fences.Admits(Partition, fence))
        {
            return false;
        }

        context.Inspections.Disturb(key);
        return context.Fences.Admits(Partition, fence);
    }

    /// <summary>Siblings that each fit may come to more together; the store would throw, and a write that breaks a limit must not end the node.</summary>
    private bool Fits(ReadOnlyMemory<byte>? kept, [NotNullWhen(false)] out string? reason)
    {
        reason = kept is { Length: var length } && length > store.MaxValueBytes ? $"a merged object of {length} bytes is beyond the store's {store.MaxValueBytes}" : null;
        return reason is null;
    }

    /// <summary>
    /// Whether there is room for what a key is to hold, in the bound of the node where it is kept in memory alone. A delete of what is there always has it. Not asked for what moves here, which is
    /// nothing new: the sender lets go of it, and all else that is to come from there, on disk too, would wait for it.
    /// </summary>
    private bool TakesRoom(VnodePass.Slot slot, ReadOnlyMemory<byte> stored)
    {
        if (slot.Backend != StoreBackend.Memory)
        {
            return true;
        }

        var growth = slot.Value is { } held ? stored.Length - held.Length : slot.Key.Length + stored.Length;
        if (growth > Math.Max(0, memoryRoom) && !(slot.Value is not null && ObjectCodec.IsTombstone(stored)))
        {
            return false;
        }

        memoryRoom -= growth;
        return true;
    }

    private static void Keep(VnodePass.Slot slot, ReadOnlyMemory<byte>? kept)
    {
        slot.IsConfirmed = true;
        if (kept is not null)
        {
            slot.Value = kept;
            slot.IsDirty = true;
        }
    }

    private void ApplyConfirm(VnodeCommand.Confirm command, VnodePass pass)
    {
        var holds = new bool[command.Keys.Count];
        for (var i = 0; i < holds.Length; i++)
        {
            var (slot, expected) = (pass.SlotOf(command.Keys[i].Key), command.Keys[i].ClockHash);
            holds[i] = expected is { } clockHash ? IsTombstone(slot, clockHash) : slot.Value is null;
            slot.IsConfirmed |= slot.Value is not null;
        }

        pass.ConfirmsAll = true;
        command.AwaitsDurability = true;
        command.Pending = new VnodeReply(new PeerReply.DoneEach(holds));
    }

    private void ApplyReap(VnodeCommand.Reap command, VnodePass pass)
    {
        var done = new bool[command.Keys.Count];
        for (var i = 0; i < done.Length; i++)
        {
            var slot = pass.SlotOf(command.Keys[i].Key);
            done[i] = slot.Value is null;
            if (command.Keys[i].ClockHash is { } clockHash && IsTombstone(slot, clockHash))
            {
                context.Statistics.Reaped();
                slot.Value = null;
                slot.IsDirty = true;
                done[i] = true;
            }
        }

        command.AwaitsDurability = true;
        command.Pending = new VnodeReply(new PeerReply.DoneEach(done));
    }

    /// <summary>An actor that forgets is another from here on.</summary>
    private void ApplyForget(VnodeCommand.Forget command, VnodePass pass)
    {
        command.Pending = VnodeReply.Done;
        if (writes != command.IfWrites || pass.Touched > 0 || transfer is { PassesWritesOn: true })
        {
            return;
        }

        context.Actors.Forget(Partition);
        command.Forgotten = command.AwaitsDurability = true;
        foreach (var entry in command.Entries)
        {
            var slot = pass.SlotOf(entry.Key);
            if (slot.Value is { } held && held.Span.SequenceEqual(entry.Value.Span))
            {
                slot.Value = null;
                (slot.IsDirty, slot.IsForgotten) = (true, true);
            }
        }
    }

    /// <summary>Not while writes are passed on: what has no value is not.</summary>
    private bool IsTombstone(VnodePass.Slot slot, ulong clockHash) =>
        transfer is not { PassesWritesOn: true }
        && slot.Value is { } held
        && StoredForm.Clock(held).StableHash() == clockHash
        && StoredForm.Decode(held).IsTombstone;

    /// <summary>Whether the write's context or the object here tells of events of this vnode that it does not remember: its dots would not be new.</summary>
    private bool HasForgotten(VnodeCommand.Coordinate command, VnodePass pass, [NotNullWhen(true)] out VersionVector? clock)
    {
        clock = command.Context;
        if (context.Actors.HasForgotten(Partition, clock))
        {
            return true;
        }

        clock = pass.SlotOf(command.Key).Value is { } held ? StoredForm.Clock(held) : null;
        return clock is not null && context.Actors.HasForgotten(Partition, clock);
    }
}
