namespace Kv.Storage.Log;

/// <summary>Where a recovered record lies: the first sequence number of its segment, which names the file, and the record's offset in it.</summary>
internal readonly record struct LogLocation(long SegmentLsn, int Offset);
