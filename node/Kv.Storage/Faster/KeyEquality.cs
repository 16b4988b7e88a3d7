namespace Kv.Storage.Faster;

/// <summary>Keys that are equal by their bytes.</summary>
internal sealed class KeyEquality : IEqualityComparer<ReadOnlyMemory<byte>>
{
    public static KeyEquality Instance { get; } = new();

    public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

    public int GetHashCode(ReadOnlyMemory<byte> key)
    {
        var hash = default(HashCode);
        hash.AddBytes(key.Span);
        return hash.ToHashCode();
    }
}
