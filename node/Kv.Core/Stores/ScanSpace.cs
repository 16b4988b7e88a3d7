namespace Kv.Core.Stores;

/// <summary>What <see cref="IPartitionStore.ScanAsync"/> goes through.</summary>
public enum ScanSpace
{
    /// <summary>The keys of <see cref="StoreBackend.Ordered"/>, with their values.</summary>
    Records = 0,

    /// <summary>The index entries, which have no values.</summary>
    Index = 1,
}
