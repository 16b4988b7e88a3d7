namespace Kv.Storage.Ordered;

/// <summary>RocksDB takes nothing now: it has files to merge or memtables to write out first.</summary>
internal sealed class OrderedStalledException(string message, Exception? cause) : IOException(message, cause);
