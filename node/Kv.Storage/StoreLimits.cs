using Kv.Core.Stores;

namespace Kv.Storage;

/// <summary>The limits that every engine keeps, and the one check of them, made before anything changes.</summary>
public static class StoreLimits
{
    /// <summary>Bytes of the longest key: bucket type, bucket and key of up to 64 KiB each with their lengths come to 132 KiB at most.</summary>
    public const int MaxKeyBytes = 136 * 1024;

    /// <summary>Bytes of the longest value unless an engine is told otherwise: Riak's object limit of 50 MiB with room for its metadata.</summary>
    public const int DefaultMaxValueBytes = 64 * 1024 * 1024;

    /// <summary>Bytes of an index entry beyond those of its key: field and term of 8 Ki characters.</summary>
    public const int MaxIndexTermBytes = 32 * 1024;

    /// <summary>Bytes of a batch's index entries: what a log record has room for beside its values.</summary>
    public const long MaxIndexBytes = 1024 * 1024 * 1024;

    /// <exception cref="ArgumentException">A key, a value or an index entry of the batch is too long, or its index entries are together.</exception>
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

        var indexBytes = 0L;
        foreach (var change in batch.IndexChanges)
        {
            indexBytes += change.Entry.Length;
            if (change.Entry.Length > maxKeyBytes + MaxIndexTermBytes || indexBytes > MaxIndexBytes)
            {
                throw new ArgumentException($"Index entries of {indexBytes} bytes, the last of {change.Entry.Length}, are longer than a store takes.", nameof(batch));
            }
        }
    }
}
