namespace Kv.Storage.Log;

/// <summary>A group of records in the making and those who wait for it. Guarded by the log's lock until the log's thread takes it.</summary>
internal sealed class LogBuffer(int maxBytes)
{
    private const int FirstBytes = 64 * 1024;

    private byte[] bytes = new byte[Math.Min(FirstBytes, AlignUp(maxBytes))];

    public List<LogWaiter> Waiters { get; } = [];

    public int Length { get; private set; }

    public long FirstLsn { get; private set; }

    public long LastLsn { get; private set; }

    /// <summary>When the first record came, by the time provider's timestamp.</summary>
    public long StartedAt { get; private set; }

    /// <summary>Somebody waits, or a checkpoint does: no delay.</summary>
    public bool IsUrgent { get; set; }

    public bool HasRoom(int footprint) => Length == 0 || Length + footprint <= maxBytes;

    /// <summary>Appends all of the record, or throws (there may be no memory) and is as it was.</summary>
    public void Append(in LogRecord record, ILogPayload payload, long now)
    {
        var footprint = LogRecord.Footprint(record.PayloadBytes);
        EnsureCapacity(AlignUp(Length + footprint));
        var target = bytes.AsSpan(Length, footprint);
        record.WriteHeader(target);
        payload.CopyTo(target.Slice(LogRecord.HeaderBytes, record.PayloadBytes));
        target[(LogRecord.HeaderBytes + record.PayloadBytes)..].Clear();
        if (Length == 0)
        {
            FirstLsn = record.Lsn;
            StartedAt = now;
        }

        LastLsn = record.Lsn;
        Length += footprint;
    }

    /// <summary>Fills in the checksums and gives the group with zeros to the next multiple of 4096. On the log's thread, so that appending stays short.</summary>
    public ReadOnlySpan<byte> Seal()
    {
        for (var at = 0; at < Length;)
        {
            at += LogRecord.Seal(bytes.AsSpan(at));
        }

        var padded = AlignUp(Length);
        bytes.AsSpan(Length, padded - Length).Clear();
        return bytes.AsSpan(0, padded);
    }

    public void Clear()
    {
        Waiters.Clear();
        Length = 0;
        IsUrgent = false;
    }

    private void EnsureCapacity(int needed)
    {
        if (needed > bytes.Length)
        {
            Array.Resize(ref bytes, AlignUp((int)Math.Min(Math.Max((long)bytes.Length * 2, needed), Math.Max(maxBytes, needed))));
        }
    }

    private static int AlignUp(int length) => (length + LogRecord.GroupAlignment - 1) & -LogRecord.GroupAlignment;
}
