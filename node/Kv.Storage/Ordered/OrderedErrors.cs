using Kv.Core.Stores;
using RocksDbSharp;

namespace Kv.Storage.Ordered;

/// <summary>What an error of RocksDB means here. It tells by the beginning of its text, and names the file.</summary>
internal static class OrderedErrors
{
    /// <summary>Checksums and files that are gone are proof of damage; of anything else, a disk that fails for now, one without room and a stall are told apart.</summary>
    public static Exception Of(RocksDbException error, string directory)
    {
        bool Says(string text) => error.Message.Contains(text, StringComparison.Ordinal);
        if (error.Message.StartsWith("Corruption", StringComparison.Ordinal) || Says("No such file") || Says("does not exist"))
        {
            return new StoreDamagedException($"The ordered records in {directory} are damaged: {error.Message}", error);
        }

        var message = $"The ordered records in {directory}: {error.Message}";
        if (Says("No space left on device"))
        {
            return new OrderedFullException(message, error);
        }

        return Says("Write stall") ? new OrderedStalledException(message, error) : new IOException(message, error);
    }
}
