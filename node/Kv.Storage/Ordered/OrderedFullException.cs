namespace Kv.Storage.Ordered;

/// <summary>RocksDB has no room on the disk for what it was to write. What it has is whole and can be read.</summary>
internal sealed class OrderedFullException(string message, Exception? cause) : IOException(message, cause);
