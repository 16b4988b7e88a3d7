using Kv.Core.Stores;
using Kv.Storage.Memory;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>Ranges, of what is in RocksDB and what waits for it.</summary>
internal sealed partial class OrderedRecords
{
    /// <summary>A range as it is at one moment, a batch whole or not at all. A value that there is no room for now is null.</summary>
    public (List<(byte[] Key, ReadOnlyMemory<byte>? Value)> Entries, bool IsLast) Scan(StoreScan scan)
    {
        var (stored, late) = Look(scan);
        try
        {
            return Guarded(() => Merge(stored, late, scan));
        }
        finally
        {
            stored?.Dispose();
            reading.ExitReadLock();
        }
    }

    /// <summary>RocksDB and what waits for it, which goes there under the same lock, a batch at a time. Whoever looks is one who reads, and says when he has done.</summary>
    private (Iterator? Stored, List<Change> Late) Look(in StoreScan scan)
    {
        var from = WithSpace(scan.Space, scan.From.Span);
        byte[] until = scan.Until.IsEmpty ? [(byte)(scan.Space + 1)] : WithSpace(scan.Space, scan.Until.Span);

        // Only what is scanned once would push out of the cache what is read again and again.
        var options = new ReadOptions().SetFillCache(scan.Space == ScanSpace.Index).SetIterateUpperBound(until);
        lock (writing)
        {
            reading.EnterReadLock();
            try
            {
                return (db?.NewIterator(readOptions: options).Seek(from), WaitingWithin(from, until));
            }
            catch
            {
                reading.ExitReadLock();
                throw;
            }
        }
    }

    private List<Change> WaitingWithin(byte[] from, byte[] until)
    {
        lock (gate)
        {
            return waiting
                .Where(pair => pair.Key.Span.SequenceCompareTo(from) >= 0 && pair.Key.Span.SequenceCompareTo(until) < 0)
                .OrderBy(static pair => pair.Key, KeyOrder.Instance)
                .Select(static pair => new Change(pair.Key.ToArray(), pair.Value.Value))
                .ToList();
        }
    }

    private (List<(byte[] Key, ReadOnlyMemory<byte>? Value)> Entries, bool IsLast) Merge(Iterator? stored, List<Change> late, in StoreScan scan)
    {
        var entries = new List<(byte[] Key, ReadOnlyMemory<byte>? Value)>();
        var bytes = 0L;
        void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> content)
        {
            entries.Add((key[1..].ToArray(), value.TryCopy(content)));
            bytes += key.Length - 1 + content.Length;
        }

        for (var next = 0; ;)
        {
            var isStored = IsAtOne(stored);
            if (!isStored && next == late.Count)
            {
                return (entries, true);
            }

            if (entries.Count >= scan.MaxEntries || bytes >= scan.MaxBytes)
            {
                return (entries, false);
            }

            var order = !isStored ? 1 : next == late.Count ? -1 : stored!.GetKeySpan().SequenceCompareTo(late[next].Key);
            if (order < 0)
            {
                Add(stored!.GetKeySpan(), stored.GetValueSpan());
            }
            else if (late[next] is { Value: { } content } put)
            {
                Add(put.Key, content.Span);
            }

            // What waits takes the place of what is stored.
            if (order <= 0)
            {
                stored!.Next();
            }

            next += order >= 0 ? 1 : 0;
        }
    }

    /// <summary>An iterator ends at damage as it does at the range's end.</summary>
    private static bool IsAtOne(Iterator? stored)
    {
        if (stored is null || stored.Valid())
        {
            return stored is not null;
        }

        Native.Instance.rocksdb_iter_get_error(stored.Handle);
        return false;
    }
}
