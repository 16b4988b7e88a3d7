using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>Takes of a value its length.</summary>
internal sealed class OrderedLength : ISpanDeserializer<int?>
{
    public static OrderedLength Instance { get; } = new();

    public int? Deserialize(ReadOnlySpan<byte> buffer) => buffer.Length;
}
