using System.Collections.Immutable;
using Kv.Core.AntiEntropy;

namespace Kv.Storage.Memory;

/// <summary>What a partition in memory holds, by one opening of it; an older opening sees <see cref="IsClosed"/>.</summary>
internal sealed class MemoryPartitionData
{
    private static readonly ImmutableSortedDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Nothing =
        ImmutableSortedDictionary.Create<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>(KeyOrder.Instance);

    private volatile ImmutableSortedDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> map = Nothing;
    private volatile ImmutableSortedSet<ReadOnlyMemory<byte>> index = ImmutableSortedSet.Create<ReadOnlyMemory<byte>>(KeyOrder.Instance);
    private volatile bool closed;

    /// <summary>Swapped whole by the one writer, so that a fold beside it sees one state.</summary>
    public ImmutableSortedDictionary<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Map
    {
        get => map;
        set => map = value;
    }

    /// <summary>Index entries; swapped whole as the map is.</summary>
    public ImmutableSortedSet<ReadOnlyMemory<byte>> Index
    {
        get => index;
        set => index = value;
    }

    /// <summary>See <see cref="Kv.Core.Stores.IPartitionStore.Birth"/>.</summary>
    public long Birth { get; init; }

    public long Bytes { get; set; }

    public HashTrees Trees { get; set; } = new();

    public MemorySegments Segments { get; private init; } = new();

    public bool IsClosed => closed;

    /// <summary>Closes this opening and gives the next one the same data.</summary>
    public MemoryPartitionData Reopened()
    {
        closed = true;
        return new MemoryPartitionData { map = map, index = index, Birth = Birth, Bytes = Bytes, Trees = Trees, Segments = Segments };
    }
}
