namespace Kv.Storage.Faster;

/// <summary>
/// One fold's way over a store's log, from its beginning to where its tail was when the fold began, a page at a time; between pages it holds nothing
/// but its cursor. Compaction moves records only below the cursors of all folds, so it never takes one from before a fold to behind its end.
/// </summary>
internal sealed class StoreFold(StoreLog log, StoreReader reader, long from, long until)
{
    private const int MaxEntries = 256;

    private readonly List<(byte[] Key, byte[] Value, long Address)> scanned = [];
    private readonly ReadResult[] results = new ReadResult[MaxEntries];

    /// <summary>Addresses below are done with.</summary>
    public long Cursor { get; private set; } = Math.Max(from, 0);

    public bool IsDone => Cursor >= until;

    /// <summary>The live entries of the next stretch, at most a page and <see cref="MaxEntries"/> records; chunked values are left to be read by key.</summary>
    public async ValueTask<List<(byte[] Key, ReadOnlyMemory<byte>? Value)>> NextAsync()
    {
        var next = ScanStretch();
        reader.Session.Expect(results);
        var isPending = false;
        for (var index = 0; index < scanned.Count; index++)
        {
            results[index] = default;
            isPending |= !ReadNewest(scanned[index].Key, scanned[index].Address, index);
        }

        if (isPending)
        {
            await reader.Session.CompleteAsync();
        }

        var live = new List<(byte[] Key, ReadOnlyMemory<byte>? Value)>(scanned.Count);
        for (var index = 0; index < scanned.Count; index++)
        {
            if (Resolve(scanned[index], results[index]) is { } entry)
            {
                live.Add(entry);
            }
        }

        scanned.Clear();
        Cursor = next;
        return live;
    }

    /// <summary>
    /// Looks for the key's newest record. Of one on disk only what is newer is asked for, so that most need no disk; in memory FASTER must be
    /// asked without a lower bound (with one inside its memory it would follow a chain to nowhere), and finds the record itself.
    /// </summary>
    private bool ReadNewest(byte[] key, long address, int position) =>
        reader.Session.Read(key, ReadMode.WholeFrom(until), position, above: address < log.HeadAddress ? address + 1 : 0);

    /// <summary>
    /// The entry to give for a scanned record. Without a newer record it is live. With one below the end, the scan will come to that. With one
    /// behind the end the key was written during the fold: what it holds now is given, read by key.
    /// </summary>
    private static (byte[] Key, ReadOnlyMemory<byte>? Value)? Resolve((byte[] Key, byte[] Value, long Address) record, in ReadResult newer)
    {
        var key = record.Key[StoreValue.KeyPrefixBytes..];
        if (newer.Found && newer.Address > record.Address)
        {
            return newer.Value is null ? null : (key, null);
        }

        return StoreValue.KindOf(record.Value) switch
        {
            StoreValueKind.Removed => null,
            StoreValueKind.Inline => (key, record.Value.AsMemory(StoreValue.HeaderBytes)),

            // A chunked value: reading it by key gives it whole.
            _ => (key, null),
        };
    }

    private long ScanStretch()
    {
        var pageEnd = Math.Min(until, ((Cursor / log.PageBytes) + 1) * log.PageBytes);
        using var scan = log.Scan(Cursor, pageEnd);
        while (scanned.Count < MaxEntries && scan.GetNext(out var info))
        {
            if (!info.Tombstone && log.Scanned(scan) is var record && record.Key[0] == StoreValue.PortKey)
            {
                scanned.Add(record);
            }
        }

        return scanned.Count < MaxEntries ? pageEnd : scan.NextAddress;
    }
}
