namespace Kv.Core.Stores;

/// <summary>Keys by their bytes.</summary>
public sealed class KeyBytesComparer : IEqualityComparer<ReadOnlyMemory<byte>>
{
    public static KeyBytesComparer Instance { get; } = new();

    public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

    public int GetHashCode(ReadOnlyMemory<byte> obj)
    {
        var hash = default(HashCode);
        hash.AddBytes(obj.Span);
        return hash.ToHashCode();
    }
}
