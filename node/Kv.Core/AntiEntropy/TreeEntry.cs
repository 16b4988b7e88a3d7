namespace Kv.Core.AntiEntropy;

/// <summary>A key as stores know it, with the hash of its entry (<see cref="EntryHash.OfEntry"/>): what replicas show each other of a segment that differs.</summary>
public readonly record struct TreeEntry(ReadOnlyMemory<byte> Key, ulong Hash)
{
    /// <summary>What an entry takes on the wire beside its key, at most.</summary>
    public const int OverheadBytes = 13;

    public static TreeEntry Of(ReadOnlyMemory<byte> key, ReadOnlySpan<byte> value) => new(key, EntryHash.OfEntry(EntryHash.OfKey(key.Span), value));

    public static int BytesOf(ReadOnlyMemory<byte> key) => key.Length + OverheadBytes;
}
