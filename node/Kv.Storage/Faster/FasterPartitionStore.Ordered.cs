using Kv.Core.Stores;
using Kv.Storage.Ordered;

namespace Kv.Storage.Faster;

/// <summary>Its ordered keys and index entries.</summary>
internal sealed partial class FasterPartitionStore
{
    /// <summary>What may wait for the log before a write that nobody waits for waits too.</summary>
    private const long MostWaitingBytes = 8 * 1024 * 1024;

    private const int FoldStretchEntries = 1000;
    private const int FoldStretchBytes = 1024 * 1024;

    private readonly OrderedRecords ordered;

    public async ValueTask<ScanStretch> ScanAsync(StoreScan scan, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        await SettleAllAsync();
        var (scanned, isLast) = ScanOrdered(scan);
        var entries = new List<StoredEntry>(scanned.Count);
        foreach (var (key, value) in scanned)
        {
            entries.Add(new StoredEntry(key, value ?? throw new StoreRefusedException("There is no memory for a value of a range.")));
        }

        return new ScanStretch(entries, isLast);
    }

    /// <summary>Puts into RocksDB what the log has on disk meanwhile, unless somebody is at it, or it takes nothing now. Not to be called under the store's lock: it may take long.</summary>
    public void TrySettle() => Settle(ordered.TrySettle);

    private void Settle() => Settle(ordered.Settle);

    private void Settle(Action<long> settle)
    {
        if ((ordered.WaitingBytes == 0 && ordered.WhyFull is null) || !uses.TryEnter())
        {
            return;
        }

        try
        {
            settle(host.Log.DurableLsn);
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not write its ordered records", error);
        }
        finally
        {
            uses.Exit();
        }
    }

    /// <summary>Reads the batch's ordered keys here, and the rest, and what is not found here, by hash.</summary>
    private async ValueTask ReadWithOrderedAsync(ReadBatch batch)
    {
        var rest = new ReadBatch();
        var places = new List<int>();
        for (var position = 0; position < batch.Count; position++)
        {
            if (batch.Backend(position) == StoreBackend.Hash || !TryReadOrdered(batch, position))
            {
                rest.Add(batch.Key(position));
                places.Add(position);
            }
        }

        if (rest.Count == 0)
        {
            return;
        }

        await caller.ReadAsync(rest, writer.Learn);
        for (var index = 0; index < places.Count; index++)
        {
            batch.SetValue(places[index], rest.Value(index));
            if (batch.Backend(places[index]) == StoreBackend.Ordered && rest.Value(index) is not null)
            {
                batch.SetMisplaced(places[index]);
            }

            if (rest.IsRefused(index))
            {
                batch.SetRefused(places[index]);
            }
        }
    }

    private bool TryReadOrdered(ReadBatch batch, int position)
    {
        var key = batch.Key(position);
        try
        {
            if (ordered.Read(key.Span) is not { } value)
            {
                return false;
            }

            batch.SetValue(position, value);
            writer.Learn(key, new PriorValue(true, value.Length, null, StoreBackend.Ordered));
        }
        catch (StoreRefusedException)
        {
            batch.SetRefused(position);
        }

        return true;
    }

    private ValueTask SettleAfter(ValueTask done, long? orderedLast) => orderedLast is { } last ? SettleAfterAsync(done, last) : done;

    /// <summary>Completes a write with ordered changes. Where somebody is writing to RocksDB it leaves them to the next one, unless too much waits.</summary>
    private async ValueTask SettleAfterAsync(ValueTask done, long last)
    {
        await done;
        if (ordered.WaitingBytes <= MostWaitingBytes)
        {
            TrySettle();
            return;
        }

        await host.Log.WhenDurable(last);
        Settle();
    }

    /// <summary>When it completes, everything that was applied before is in RocksDB, where there is room for it.</summary>
    private async ValueTask SettleAllAsync()
    {
        if (ordered.WaitingBytes == 0)
        {
            return;
        }

        long applied;
        lock (gate)
        {
            applied = progress.AppliedLsn;
        }

        await host.Log.WhenDurable(applied);
        Settle();
    }

    private (List<(byte[] Key, ReadOnlyMemory<byte>? Value)> Entries, bool IsLast) ScanOrdered(StoreScan scan)
    {
        Enter();
        try
        {
            return ordered.Scan(scan);
        }
        catch (StoreDamagedException found)
        {
            throw Damaged(found);
        }
        catch (IOException error)
        {
            throw host.Fail($"The store in {Directory} could not read its ordered records", error);
        }
        finally
        {
            uses.Exit();
        }
    }

    /// <summary>Goes on behind the last key each time, so that nothing of RocksDB's is held between stretches.</summary>
    private async IAsyncEnumerable<StoredEntry> FoldOrderedAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var from = ReadOnlyMemory<byte>.Empty;
        var isLast = false;
        while (!isLast)
        {
            cancel.ThrowIfCancellationRequested();
            (var stretch, isLast) = ScanOrdered(new StoreScan(ScanSpace.Records, from, default, FoldStretchEntries, FoldStretchBytes));
            foreach (var (key, value) in stretch)
            {
                if ((value ?? await ReadForFoldAsync(() => new ValueTask<ReadOnlyMemory<byte>?>(ordered.Read(key)))) is { } present)
                {
                    yield return new StoredEntry(key, present);
                }

                from = (byte[])[.. key, 0];
            }
        }
    }
}
