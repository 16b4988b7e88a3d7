using Kv.Core.Stores;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>What an error of RocksDB means here. It tells by the beginning of its text, and names the file.</summary>
internal static class OrderedErrors
{
    /// <summary>Checksums and files that are gone are proof of damage; anything else is a disk that fails for now.</summary>
    public static Exception Of(RocksDbException error, string directory) =>
        error.Message.StartsWith("Corruption", StringComparison.Ordinal)
        || error.Message.Contains("No such file", StringComparison.Ordinal)
        || error.Message.Contains("does not exist", StringComparison.Ordinal)
            ? new StoreDamagedException($"The ordered records in {directory} are damaged: {error.Message}", error)
            : new IOException($"The ordered records in {directory}: {error.Message}", error);
}
