using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>A store of the directory that is not open: its checkpoint's cover, and where in the log its later records lie.</summary>
internal sealed class PendingReplay(StoreIdentity store, string directory, long coveredLsn)
{
    public StoreIdentity Store => store;

    public string Directory => directory;

    public long CoveredLsn => coveredLsn;

    /// <summary>The records to apply, in order.</summary>
    public List<(LogLocation Location, long Lsn)> Records { get; } = [];
}
