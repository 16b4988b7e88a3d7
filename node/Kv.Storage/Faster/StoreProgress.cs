using Kv.Storage.Log;

namespace Kv.Storage.Faster;

/// <summary>
/// How far a store's checkpoint is behind its writes, which decides what of the log must stay. Guarded by the store's lock.
/// </summary>
internal sealed class StoreProgress(StoreIdentity store, long coveredLsn)
{
    private long? firstUncovered;
    private long? firstBeingCovered;
    private long bytesBeingCovered;

    public StoreIdentity Store => store;

    /// <summary>The last sequence number that is applied.</summary>
    public long AppliedLsn { get; private set; } = coveredLsn;

    /// <summary>The last that the checkpoint on disk covers.</summary>
    public long CoveredLsn { get; private set; } = coveredLsn;

    /// <summary>Bytes in the log since the checkpoint.</summary>
    public long UncoveredBytes { get; private set; }

    /// <summary>When the oldest write without a checkpoint was made, by the time provider's timestamp.</summary>
    public long UncoveredSince { get; private set; }

    /// <summary>The oldest sequence number that the log must keep for this store; null where it needs none.</summary>
    public long? NeededFrom => firstBeingCovered ?? firstUncovered;

    public bool IsCovered => NeededFrom is null;

    public void Applied(long first, long last, long bytes, long now)
    {
        if (firstUncovered is null)
        {
            firstUncovered = first;
            UncoveredSince = now;
        }

        AppliedLsn = last;
        UncoveredBytes += bytes;
    }

    /// <summary>A checkpoint of everything applied by now begins.</summary>
    public void BeginCheckpoint()
    {
        firstBeingCovered ??= firstUncovered;
        firstUncovered = null;
        bytesBeingCovered = UncoveredBytes;
    }

    /// <summary>The checkpoint up to <paramref name="covered"/> is on disk.</summary>
    public void EndCheckpoint(long covered)
    {
        firstBeingCovered = null;
        UncoveredBytes -= bytesBeingCovered;
        CoveredLsn = covered;
    }
}
