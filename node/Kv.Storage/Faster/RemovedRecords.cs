using FASTER.core;

namespace Kv.Storage.Faster;

/// <summary>What compaction leaves behind: records that say a key was removed. Everything older of the key lies below and goes with it.</summary>
internal readonly struct RemovedRecords : ICompactionFunctions<SpanByte, SpanByte>
{
    public bool IsDeleted(ref SpanByte key, ref SpanByte value)
    {
        var bytes = value.AsReadOnlySpan();
        return bytes.Length >= StoreValue.HeaderBytes && StoreValue.KindOf(bytes) == StoreValueKind.Removed;
    }
}
