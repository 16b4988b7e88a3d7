using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>A store of the directory that is not open: its checkpoint's cover, and where in the log its later records lie.</summary>
internal sealed class PendingReplay(StoreIdentity store, string directory, long coveredLsn)
{
    public StoreIdentity Store => store;

    public string Directory => directory;

    public long CoveredLsn => coveredLsn;

    /// <summary>Bytes of the records to apply.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes that must be free for a checkpoint of the store with these records; 0 until it was open once.</summary>
    public long CheckpointRoomBytes { get; set; }

    /// <summary>The records to apply, in order.</summary>
    public List<(LogLocation Location, long Lsn)> Records { get; } = [];

    public void Add(LogLocation location, LogRecord record)
    {
        Records.Add((location, record.Lsn));
        Bytes += LogRecord.Footprint(record.PayloadBytes);
    }
}
