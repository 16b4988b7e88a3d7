using System.Buffers.Binary;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Fuzz.Running;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;

namespace Kv.Fuzz.Targets;

/// <summary>Records of the write-ahead log: as they come, and with the checksum that they would have; and the batches in them.</summary>
internal sealed class LogTarget : FuzzTarget
{
    /// <summary>Of the places of a tree of the greatest depth, of which ten bytes make one.</summary>
    private const int MostTreeBytes = (HashTree.Segments << HashTree.MaxDepth) / 256 * 8;

    private const int LeastTreeBytes = 10;

    public override string Name => "log";

    public override long BytesPerByte => 512 + (MostTreeBytes / LeastTreeBytes);

    public override long FixedBytes => 2 * MostTreeBytes;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var plain = new WriteBatch();
            plain.Put("key"u8.ToArray(), "value"u8.ToArray());
            plain.Remove("gone"u8.ToArray());
            var trees = new HashTrees { Layout = 7, BuiltAt = 9 };
            var change = new TreeChange(new TreeRange(new PartitionId(3), 3), HashTree.PlaceOf(0x0102030405060708), 0xaabbccdd);
            trees.Apply(change);
            var ordered = new WriteBatch { NewTrees = trees };
            ordered.Put("key"u8.ToArray(), "value"u8.ToArray(), StoreBackend.Ordered);
            ordered.Change(change);
            ordered.Change(new IndexChange("entry"u8.ToArray(), IsAdded: true));
            return [Record(plain), Record(ordered), Record(plain)[LogRecord.HeaderBytes..], Record(ordered)[LogRecord.HeaderBytes..]];
        }
    }

    public override void Take(byte[] input)
    {
        Batch(input);
        var record = input.ToArray();
        if (LogRecord.TryRead(record) is null && record.Length >= LogRecord.HeaderBytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), record.Length - LogRecord.HeaderBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Of(record.AsSpan(4)));
        }

        if (LogRecord.TryRead(record) is { } read)
        {
            Batch(record.AsMemory(LogRecord.HeaderBytes, read.PayloadBytes));
        }
    }

    /// <summary>Whatever the checksum says: lengths that do not add up are refused as such.</summary>
    private static void Batch(ReadOnlyMemory<byte> payload)
    {
        Refusable(() => BatchRecord.Read(payload).Count());
        Refusable(() => BatchRecord.ReadIndexChanges(payload).Count());
        Refusable(() => BatchRecord.ReadTrees(payload, new HashTrees()).Encode());
    }

    private static void Refusable<T>(Func<T> read)
    {
        try
        {
            _ = read();
        }
        catch (StoreException)
        {
            // The refusal of what is no batch.
        }
    }

    private static byte[] Record(WriteBatch batch)
    {
        var payload = new BatchRecord();
        payload.Begin(batch);
        payload.Add(new PriorValue(true, 5, null));
        foreach (var _ in batch.Entries.Skip(1))
        {
            payload.Add(new PriorValue(true, 70_000, new ChunkedValue(3, 1, 70_000, 0)));
        }

        var record = new byte[LogRecord.HeaderBytes + payload.Length];
        new LogRecord(5, 5, new StoreIdentity(3, 77), LogRecordKind.Batch, payload.Length).WriteHeader(record);
        payload.CopyTo(record.AsSpan(LogRecord.HeaderBytes));
        LogRecord.Seal(record);
        return record;
    }
}
