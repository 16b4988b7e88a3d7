namespace Kv.Storage.Log;

/// <summary>
/// One life of a partition's store: a partition that is dropped and made again is another store, so records of the first never reach the second.
/// </summary>
/// <param name="Partition">The partition's number.</param>
/// <param name="Birth">The log's next sequence number when the store was made: every record of it has this number or a higher one.</param>
internal readonly record struct StoreIdentity(int Partition, long Birth);
