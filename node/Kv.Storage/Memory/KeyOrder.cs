namespace Kv.Storage.Memory;

/// <summary>Keys by their bytes, unsigned, shorter first where one begins the other: the order that ordered engines promise.</summary>
internal sealed class KeyOrder : IComparer<ReadOnlyMemory<byte>>
{
    public static KeyOrder Instance { get; } = new();

    public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
}
