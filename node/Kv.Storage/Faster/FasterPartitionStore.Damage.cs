using Kv.Core.Stores;

namespace Kv.Storage.Faster;

/// <summary>Damage that is met while it is open: it serves nothing any more, closes by itself, and is in nobody else's way.</summary>
internal sealed partial class FasterPartitionStore
{
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StoreDamagedException? damage;

    /// <summary>Damage was met: it serves nothing any more, and closes.</summary>
    public bool IsDamaged => Volatile.Read(ref damage) is not null;

    /// <summary>Completes when it has closed, in whatever way; the engine knows by then.</summary>
    public Task WhenClosed => closed.Task;

    /// <summary>From here on it refuses every call; false where it did already. To be called when the damage is known to all: who is refused asks for the partition anew.</summary>
    public bool TryRefuse(StoreDamagedException found) => Interlocked.CompareExchange(ref damage, found, null) is null;

    /// <summary>Closes a store that has been reported as damaged, once nobody is inside; where it is being closed already, that goes on.</summary>
    public async Task CloseDamagedAsync()
    {
        if (uses.TryClose(out var left))
        {
            try
            {
                await left;
                CloseFiles();
                host.Closed(this, isDropped: false);
            }
            catch (Exception error)
            {
                host.Fail($"The damaged store in {Directory} could not be closed", error);
            }
            finally
            {
                closed.TrySetResult();
            }
        }
    }

    /// <summary>Takes note of damage that was met and gives what to throw. No verdict where the engine has failed: a device that failed answers zeros.</summary>
    private StoreDamagedException Damaged(StoreDamagedException found)
    {
        host.ThrowIfFailed();
        if (!IsDamaged)
        {
            host.Damaged(this, found);
        }

        return found;
    }

    private void ThrowIfUnsound()
    {
        host.ThrowIfFailed();
        log.ThrowIfDamaged();
    }

    private void ThrowIfDamaged()
    {
        if (Volatile.Read(ref damage) is { } found)
        {
            throw new StoreDamagedException(found.Message, found);
        }
    }
}
