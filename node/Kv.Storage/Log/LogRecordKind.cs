namespace Kv.Storage.Log;

/// <summary>What a record of the log says. Persisted: append only.</summary>
internal enum LogRecordKind : byte
{
    /// <summary>A whole batch of one partition.</summary>
    Batch = 1,

    /// <summary>The first part of a batch that is longer than a record may be.</summary>
    BatchFirst = 2,

    /// <summary>A part between the first and the last.</summary>
    BatchMiddle = 3,

    /// <summary>The last part; its sequence number is the batch's.</summary>
    BatchLast = 4,

    /// <summary>The partition was dropped: what came before of it counts no more.</summary>
    Drop = 5,
}
