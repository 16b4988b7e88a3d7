using Kv.Core.Stores;

namespace Kv.Storage;

/// <summary>The limits that every engine keeps, and the one check of them, made before anything changes.</summary>
public static class StoreLimits
{
    /// <summary>Bytes of the longest key: bucket type, bucket and key of up to 64 KiB each with their lengths come to 132 KiB at most.</summary>
    public const int MaxKeyBytes = 136 * 1024;

    /// <summary>Bytes of the longest value unless an engine is told otherwise: Riak's object limit of 50 MiB with room for its metadata.</summary>
    public const int DefaultMaxValueBytes = 64 * 1024 * 1024;

    /// <exception cref="ArgumentException">A key or a value of the batch is too long.</exception>
    public static void Check(WriteBatch batch, int maxKeyBytes, int maxValueBytes)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var entries = batch.Entries;
        for (var position = 0; position < entries.Count; position++)
        {
            if (entries[position].Key.Length > maxKeyBytes)
            {
                throw new ArgumentException($"Key of {entries[position].Key.Length} bytes is longer than this store's limit of {maxKeyBytes} bytes.", nameof(batch));
            }

            if (entries[position].Value is { Length: var length } && length > maxValueBytes)
            {
                throw new ArgumentException($"Value of {length} bytes is longer than this store's limit of {maxValueBytes} bytes.", nameof(batch));
            }
        }
    }
}
