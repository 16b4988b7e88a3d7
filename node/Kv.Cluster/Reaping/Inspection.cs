using Kv.Core.Rings;

namespace Kv.Cluster.Reaping;

/// <summary>
/// A key that a member was asked about for a reap: undisturbed as long as nothing that came from elsewhere has changed what the node holds under it. Whoever changes
/// it and whoever seals it race, and one of them wins.
/// </summary>
internal sealed class Inspection(ReadOnlyMemory<byte> key, IReadOnlyList<PartitionId> partitions)
{
    private const int Undisturbed = 0;
    private const int Disturbed = 1;
    private const int Sealed = 2;

    private int state;

    public ReadOnlyMemory<byte> Key { get; } = key;

    /// <summary>The partitions of the key's primaries.</summary>
    public IReadOnlyList<PartitionId> Partitions { get; } = partitions;

    public bool IsUndisturbed => Volatile.Read(ref state) == Undisturbed;

    /// <summary>No effect on one that is sealed: then the change itself must be refused, by its fence.</summary>
    public void Disturb() => Interlocked.CompareExchange(ref state, Disturbed, Undisturbed);

    /// <summary>False where it was disturbed. Call after the fence was raised.</summary>
    public bool TrySeal() => Interlocked.CompareExchange(ref state, Sealed, Undisturbed) == Undisturbed;
}
