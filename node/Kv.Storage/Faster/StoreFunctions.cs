using FASTER.core;

namespace Kv.Storage.Faster;

/// <summary>FASTER's callbacks: copy, nothing else, since they run inside its epoch. One object per session.</summary>
internal sealed class StoreFunctions : FunctionsBase<SpanByte, SpanByte, ReadMode, ReadResult, int>
{
    private const int HeadBytes = StoreValue.HeaderBytes + ChunkedValue.Bytes;

    /// <summary>Gets the result of each read that had to go to disk, by the position it was asked with.</summary>
    public ReadResult[] Results { get; set; } = [];

    public override bool SingleReader(ref SpanByte key, ref ReadMode input, ref SpanByte value, ref ReadResult dst, ref ReadInfo readInfo) =>
        Copy(input, ref value, ref dst, readInfo.Address);

    public override bool ConcurrentReader(ref SpanByte key, ref ReadMode input, ref SpanByte value, ref ReadResult dst, ref ReadInfo readInfo) =>
        Copy(input, ref value, ref dst, readInfo.Address);

    public override bool SingleWriter(
        ref SpanByte key, ref ReadMode input, ref SpanByte src, ref SpanByte dst, ref ReadResult output, ref UpsertInfo upsertInfo, WriteReason reason)
    {
        src.CopyTo(ref dst);
        return true;
    }

    public override bool ConcurrentWriter(ref SpanByte key, ref ReadMode input, ref SpanByte src, ref SpanByte dst, ref ReadResult output, ref UpsertInfo upsertInfo)
    {
        // In place only where the length stays: a shrunk record would need filler that scans understand, and most updates keep or grow.
        if (src.Length != dst.Length)
        {
            return false;
        }

        src.CopyTo(ref dst);
        return true;
    }

    public override void ReadCompletionCallback(ref SpanByte key, ref ReadMode input, ref ReadResult output, int ctx, Status status, RecordMetadata recordMetadata)
    {
        output.Found = status.Found;
        Results[ctx] = output;
    }

    // By ref and never a copy: the bytes lie right behind the length, in FASTER's page.
    private static bool Copy(in ReadMode mode, ref SpanByte value, ref ReadResult result, long address)
    {
        var bytes = value.AsReadOnlySpan();
        result.Address = address;
        result.Length = bytes.Length;
        if (address >= mode.BytesFrom)
        {
            result.Value = (mode.HeadOnly ? bytes[..Math.Min(bytes.Length, HeadBytes)] : bytes).ToArray();
        }

        return true;
    }
}
