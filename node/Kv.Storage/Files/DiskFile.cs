using Microsoft.Win32.SafeHandles;

namespace Kv.Storage.Files;

/// <summary>A file on a local disk by positional reads and writes; no position, no buffer, so any thread may use it.</summary>
internal sealed class DiskFile(SafeFileHandle handle, string path) : IStorageFile
{
    public long Length => RandomAccess.GetLength(handle);

    public int Read(long offset, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var got = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (got == 0)
            {
                break;
            }

            total += got;
        }

        return total;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(handle, bytes, offset);

    public void Sync() => NativeFiles.SyncData(handle, path);

    public void Dispose() => handle.Dispose();
}
