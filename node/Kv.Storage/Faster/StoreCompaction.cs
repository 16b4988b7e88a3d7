namespace Kv.Storage.Faster;

/// <summary>
/// Writes what is live in the first pages of a store's log anew at its end, so that the beginning can be let go. A stretch of records at a time: noted under the store's
/// lock, looked up without it, and those that nobody wrote meanwhile written under it again. Removed keys are left behind, since everything older of them lies below.
/// FASTER's own compaction is not used: its copies race with writes, and it was seen to lose records and to spin for ever (storage.md).
/// </summary>
internal sealed class StoreCompaction(IStoreHost host, StoreLog log, StoreSession session, MovingKeys moving, object gate)
{
    private const int MaxEntries = 128;

    private readonly List<(byte[] Key, byte[] Value, long Address)> scanned = [];
    private readonly ReadResult[] results = new ReadResult[MaxEntries];

    /// <summary>Moves what is live below <paramref name="until"/>, rounded down to a page; it has to be read-only. False where there is nothing to let go.</summary>
    public async Task<bool> RunAsync(long until)
    {
        until = await log.FreezeBelowAsync(until);
        if (until <= log.BeginAddress)
        {
            return false;
        }

        for (var cursor = log.BeginAddress; cursor < until;)
        {
            cursor = ScanStretch(cursor, until);
            await MoveStretchAsync();
        }

        log.ShiftBegin(until);
        return true;
    }

    private long ScanStretch(long cursor, long until)
    {
        scanned.Clear();
        var pageEnd = Math.Min(until, ((cursor / log.PageBytes) + 1) * log.PageBytes);
        using var scan = log.Scan(cursor, pageEnd);
        while (scanned.Count < MaxEntries && scan.GetNext(out var info))
        {
            if (!info.Tombstone && log.Scanned(scan) is var record && StoreValue.KindOf(record.Value) != StoreValueKind.Removed)
            {
                scanned.Add(record);
            }
        }

        return scanned.Count < MaxEntries ? pageEnd : scan.NextAddress;
    }

    private async Task MoveStretchAsync()
    {
        lock (gate)
        {
            foreach (var (key, _, address) in scanned)
            {
                moving.Add(key, address);
            }
        }

        try
        {
            await FindNewestAsync();

            // A device that failed answers zeros, and one that found rot: what it gave must not decide what is let go.
            host.ThrowIfFailed();
            log.ThrowIfDamaged();
            lock (gate)
            {
                for (var index = 0; index < scanned.Count; index++)
                {
                    var (key, value, address) = scanned[index];
                    if (!(results[index] is { Found: true, Address: var newest } && newest > address) && moving.IsUnwritten(key, address))
                    {
                        session.PutStored(key, value);
                    }
                }
            }
        }
        finally
        {
            lock (gate)
            {
                moving.Clear();
            }
        }
    }

    /// <summary>As a fold does: of a record on disk only what is newer is asked for; in memory FASTER finds the record itself.</summary>
    private async Task FindNewestAsync()
    {
        session.Expect(results);
        var isPending = false;
        for (var index = 0; index < scanned.Count; index++)
        {
            results[index] = default;
            var (key, _, address) = scanned[index];
            isPending |= !session.Read(key, ReadMode.WholeFrom(long.MaxValue), index, above: address < log.HeadAddress ? address + 1 : 0);
        }

        if (isPending)
        {
            await session.CompleteAsync();
        }
    }
}
