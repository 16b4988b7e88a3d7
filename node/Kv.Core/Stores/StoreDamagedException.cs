namespace Kv.Core.Stores;

/// <summary>
/// One partition's data is damaged or gone, and nothing else of the storage: it is never served, and never taken for empty, until <see cref="IPartitionStores.DiscardAsync"/> gives it up.
/// </summary>
public sealed class StoreDamagedException(string message, Exception? inner = null) : StoreException(message, inner);
