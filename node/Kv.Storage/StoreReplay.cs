using Kv.Core.Stores;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;

namespace Kv.Storage;

/// <summary>Applies to a store the records of the log that its checkpoint does not cover, putting together batches that span several.</summary>
internal static class StoreReplay
{
    public static void Run(FasterPartitionStore store, PendingReplay? pending, WriteAheadLog log)
    {
        if (pending is null)
        {
            return;
        }

        IStorageFile? segment = null;
        long segmentLsn = -1;
        using var parts = new MemoryStream();
        long first = 0;
        try
        {
            foreach (var (location, lsn) in pending.Records)
            {
                if (location.SegmentLsn != segmentLsn)
                {
                    segment?.Dispose();
                    segment = log.OpenSegment(location);
                    segmentLsn = location.SegmentLsn;
                }

                var (record, payload) = log.Read(location, segment!);
                switch (record.Kind)
                {
                    case LogRecordKind.Batch:
                        first = 0;
                        store.Replay(payload, lsn, lsn);
                        break;
                    case LogRecordKind.BatchFirst:
                        first = lsn;
                        parts.SetLength(0);
                        parts.Write(payload.Span);
                        break;
                    case LogRecordKind.BatchMiddle when first != 0:
                        parts.Write(payload.Span);
                        break;
                    case LogRecordKind.BatchLast when first != 0:
                        parts.Write(payload.Span);
                        store.Replay(parts.ToArray(), first, lsn);
                        first = 0;
                        break;
                    case LogRecordKind.BatchMiddle:
                        break; // Of a batch that was never finished, whose beginning was cut with an old segment.
                    default:
                        throw new StoreException($"The log has the end of a batch of partition {store.Partition} at sequence number {lsn} without its beginning.");
                }
            }
        }
        finally
        {
            segment?.Dispose();
        }
    }
}
