namespace Kv.Storage.Files;

/// <summary>An open file, read and written by offset. Reads may run beside each other and beside writes of other places; failures throw <see cref="IOException"/>.</summary>
public interface IStorageFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads up to the buffer's length and returns how many bytes were there; fewer only at the file's end.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Writes all of the bytes, past the end too. On disk only after <see cref="Sync"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Puts the file's bytes and length on stable storage (fdatasync).</summary>
    void Sync();
}
