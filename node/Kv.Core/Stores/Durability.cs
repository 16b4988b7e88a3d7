namespace Kv.Core.Stores;

/// <summary>When a write counts as done. Persisted in bucket properties: append only.</summary>
public enum Durability
{
    /// <summary>In the log and the log on disk (fsync, group commit). The default, and what `dw` means.</summary>
    Synced = 0,

    /// <summary>In the log, which is put on disk at an interval; a crash of the machine may lose that interval.</summary>
    Interval = 1,

    /// <summary>Applied in memory and written to the log without a wait; for caches.</summary>
    Memory = 2,
}
