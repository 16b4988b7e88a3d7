using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Cluster.Vnodes;

/// <summary>The mailbox's loop: fill a turn, read, apply, write, and answer when durable.</summary>
public sealed partial class Vnode
{
    private const int MaxPassOnRepeats = 3;

    private async Task RunAsync()
    {
        await Task.Yield();
        try
        {
            while (await mailbox.Reader.WaitToReadAsync())
            {
                await passes.WaitAsync();
                var pass = TakePass();
                if (TryFill(pass))
                {
                    await RunTurnAsync(pass);
                }
                else
                {
                    Refuse(pass, failedReply);
                    Release(pass);
                }
            }
        }
        catch (Exception exception)
        {
            FailWaiting(exception);
        }

        await lastFinish;
    }

    /// <summary>False where the vnode has failed, or does now.</summary>
    private bool TryFill(VnodePass pass)
    {
        try
        {
            pass.Fill(mailbox.Reader, context);
            context.Statistics.VnodeTurn(pass.Commands.Count);
        }
        catch (Exception exception)
        {
            FailWaiting(exception);
        }

        return !isFailed;
    }

    /// <summary>There was no memory to begin a turn, or to end one: nobody else would come for what waits.</summary>
    private void FailWaiting(Exception exception)
    {
        Fail(exception);
        RefuseWaiting(failedReply);
    }

    // hot
    private async ValueTask RunTurnAsync(VnodePass pass)
    {
        var drop = pass.Drop;
        var (applied, isWriting) = (0, false);
        try
        {
            pass.Fences = context.Fences.Known;
            memoryRoom = store.MemoryRoom;
            await pass.ReadAsync(store);
            foreach (var command in pass.Commands)
            {
                if (command is VnodeCommand.BuildTrees or VnodeCommand.ReadTree or VnodeCommand.ReadSegments)
                {
                    await keeper.PrepareAsync(command, pass);
                }
            }

            foreach (var command in pass.Commands)
            {
                if (pass.HasRefused && pass.IsRefused(command))
                {
                    command.Pending = VnodeReply.Overloaded;
                }
                else if (command is VnodeCommand.Coordinate coordinate && HasForgotten(coordinate, pass, out var clock)
                    && !await context.Actors.TryRaiseEpochAsync(Partition, clock, CancellationToken.None))
                {
                    command.Pending = VnodeReply.NoEpochLeft;
                }
                else
                {
                    Apply(command, pass);
                }

                applied++;
            }

            var durability = Collect(pass);
            isWriting = true;
            Write(pass, durability);
        }
        catch (Exception exception) when (exception is StoreRefusedException || (exception is OutOfMemoryException && !isWriting))
        {
            // Nothing of the turn was written, and the store is as it was before it. No memory for a value is no reason to end a node; once the turn is handed to the
            // store and the trees it is, since nobody can say how far they came. The store itself says when it took nothing.
            RefuseTurn(pass, applied);
            Release(pass);
        }
        catch (Exception exception)
        {
            // A store that failed serves nothing any more, and a bug here leaves the turn half done: either way the vnode must not go on.
            Fail(exception);
            Refuse(pass, failedReply);
            Release(pass);
        }

        if (drop is not null)
        {
            await DropAsync(drop);
        }
    }

    /// <summary>Hands the turn's changes to the store; the pass has another owner afterwards.</summary>
    private void Write(VnodePass pass, Durability durability)
    {
        pass.Transfer = transfer is { PassesWritesOn: true } active ? active : null;
        keeper.Collect(pass);
        var written = pass.Writes.Count > 0 || pass.Writes.ChangesTrees;
        var isLogged = written && !pass.Writes.IsInMemoryAlone;
        var durable = written ? store.WriteAsync(pass.Writes, durability, CancellationToken.None) : default;
        keeper.Written();
        Volatile.Write(ref writes, writes + pass.Touched);
        hasSoftTail = isLogged ? durability != Durability.Synced : hasSoftTail;
        if (written)
        {
            PassOn(pass);
        }

        AnswerWhatNeedNotWait(pass);
        if (durable.IsCompletedSuccessfully && pass.PassedOn.Count == 0 && (lastFinish.IsCompleted || !WaitsForEarlier(pass, written, isLogged)))
        {
            durable.GetAwaiter().GetResult();
            Finish(pass, MayConfirm(pass));
        }
        else
        {
            lastFinish = FinishAsync(pass, durable, WaitsForEarlier(pass, written, isLogged), lastFinish);
        }
    }

    /// <summary>
    /// The store makes writes durable in the order of its calls. A turn that wrote nothing, or in memory alone, may confirm what an earlier turn wrote, and so may any turn while
    /// writes are passed on, which arrive in no order.
    /// </summary>
    private static bool WaitsForEarlier(VnodePass pass, bool written, bool isLogged) =>
        pass.ConfirmsAll || (pass.HasWaiting && (!written || ((pass.Transfer is not null || !isLogged) && pass.HasConfirmed)));

    /// <summary>What is confirmed may be the very write that the transfer's target missed.</summary>
    private static bool MayConfirm(VnodePass pass) => !(pass.HasConfirmed && pass.Transfer is { IsShort: true });

    /// <summary>Answers when all that the turn's answers say is so. Ends when all turns before have ended too. Throws nothing.</summary>
    private async Task FinishAsync(VnodePass pass, ValueTask durable, bool waitsForEarlier, Task previous)
    {
        var mayAnswer = true;
        try
        {
            await durable;
            if (waitsForEarlier)
            {
                await previous;
            }

            foreach (var sent in pass.PassedOn)
            {
                if (!await sent && !pass.Transfer!.Break())
                {
                    mayAnswer = false;
                }
            }

            mayAnswer &= MayConfirm(pass);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }

        if (isFailed)
        {
            Refuse(pass, failedReply);
            Release(pass);
        }
        else
        {
            Finish(pass, mayAnswer);
        }

        await previous;
    }

    private void Finish(VnodePass pass, bool mayAnswer)
    {
        foreach (var command in pass.Commands)
        {
            if (command.AwaitsDurability)
            {
                command.Complete(mayAnswer ? command.Pending : new VnodeReply(new PeerReply.Refused(VnodeRefusals.TransferTargetFailed)));
            }
        }

        Release(pass);
    }

    private static void AnswerWhatNeedNotWait(VnodePass pass)
    {
        foreach (var command in pass.Commands)
        {
            if (command is VnodeCommand.Drop)
            {
                continue;
            }

            // A cache's write is done once it is applied, unless a transfer's target has to have it too.
            if (command.AwaitsDurability && command.Durability != Durability.Synced && pass.Transfer is null)
            {
                command.AwaitsDurability = false;
            }

            if (command is VnodeCommand.Coordinate { Observer: { } observer, Pending: { Error: null, Object: { } applied } })
            {
                observer.OnApplied(applied, command.Pending.Stored);
            }

            if (!command.AwaitsDurability)
            {
                command.Complete(command.Pending);
            }
        }
    }

    /// <summary>Fills the turn's writes and says how durable they have to be.</summary>
    private Durability Collect(VnodePass pass)
    {
        var strongest = Durability.Memory;
        foreach (var command in pass.Commands)
        {
            if (command.AwaitsDurability && command.Durability < strongest)
            {
                strongest = command.Durability;
            }
        }

        // What is confirmed may have been written without a sync; writing it again puts all before it on disk as well.
        pass.CollectWrites(alsoConfirmed: strongest == Durability.Synced && hasSoftTail);
        return strongest;
    }

    private void PassOn(VnodePass pass)
    {
        if (pass.Transfer is not { } active)
        {
            return;
        }

        foreach (var entry in pass.Writes.Entries)
        {
            // A reap is never done during a transfer, so every change has a value.
            if (entry.Value is { } value && ObjectKeyCodec.TryDecode(entry.Key, out var key))
            {
                pass.PassedOn.Add(PassOnAsync(active, key, value, pass.Fences));
            }
        }
    }

    /// <summary>
    /// Sent again under a newer fence as it is: until the turn has ended no reaper gets an answer for its keys here (see <see cref="VnodeCommand.Confirm"/>), so that
    /// none of them can have been reaped since the turn read them.
    /// </summary>
    private async Task<bool> PassOnAsync(VnodeTransfer active, ObjectKey key, ReadOnlyMemory<byte> value, KnownFences known)
    {
        for (var attempt = 0; ; attempt++)
        {
            var request = new PeerRequest.VnodePut(Partition, key, value, VnodePutKind.Handoff, Durability.Synced) { Fence = known.Of(active.Target) };
            var reply = await context.PassOnAsync(active.Target, request);
            if (reply is not PeerReply.StaleFence || attempt == MaxPassOnRepeats)
            {
                return reply is PeerReply.Done;
            }

            known = context.Fences.Known;
        }
    }

    private async ValueTask DropAsync(VnodeCommand.Drop drop)
    {
        await lastFinish;
        if (!isFailed && Writes == drop.IfWrites && drop.IfWhole is not { HasMissed: true })
        {
            try
            {
                context.Actors.Forget(Partition);
                await store.DropAsync(CancellationToken.None);
                drop.Dropped = true;
                Close();
                await listings.DisposeAsync();
            }
            catch (StoreRefusedException)
            {
                // No room to take note of it now: the vnode goes on, and whoever wants it dropped tries again.
            }
            catch (Exception exception)
            {
                Fail(exception);
            }
        }

        drop.Complete(VnodeReply.Done);
    }

    /// <summary>What waited meanwhile begins anew in the vnode that comes after.</summary>
    private void Close()
    {
        isClosing = true;
        mailbox.Writer.TryComplete();
        RefuseWaiting(VnodeReply.Closed);
    }

    private void RefuseWaiting(VnodeReply reply)
    {
        while (mailbox.Reader.TryRead(out var late))
        {
            late.Complete(reply);
        }
    }

    private void Fail(Exception exception)
    {
        if (End(exception is StoreDamagedException ? VnodeReply.Damaged : VnodeReply.StorageFailed))
        {
            context.Fail(Partition, exception);
        }
    }

    /// <summary>From here on all are refused so; false where that was so already.</summary>
    private bool End(VnodeReply saying)
    {
        lock (idlePasses)
        {
            if (isFailed)
            {
                return false;
            }

            (failedReply, isFailed) = (saying, true);
        }

        mailbox.Writer.TryComplete();
        return true;
    }

    private static void Refuse(VnodePass pass, VnodeReply reply)
    {
        foreach (var command in pass.Commands)
        {
            command.Complete(reply);
        }
    }

    /// <summary>
    /// There is no room, on disk or in memory. Of the commands that were applied only those that changed something, or saw what was changed, are to be tried again;
    /// and all others.
    /// </summary>
    private static void RefuseTurn(VnodePass pass, int applied)
    {
        for (var i = 0; i < pass.Commands.Count; i++)
        {
            var command = pass.Commands[i];
            if (command is not VnodeCommand.Drop)
            {
                command.Complete(i < applied && !pass.DependsOnWrites(command) ? command.Pending : VnodeReply.Overloaded);
            }
        }
    }

    private VnodePass TakePass()
    {
        lock (idlePasses)
        {
            return idlePasses.TryPop(out var pass) ? pass : new VnodePass();
        }
    }

    private void Release(VnodePass pass)
    {
        pass.Clear();
        lock (idlePasses)
        {
            idlePasses.Push(pass);
        }

        passes.Release();
    }
}
