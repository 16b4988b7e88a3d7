namespace Kv.Storage.Tests.Files;

/// <summary>What a disk with a <see cref="DiskFault"/> throws.</summary>
internal sealed class DiskFaultException(FileOperation operation, int bytesDone) : IOException($"Input/output error (made to fail: {operation.What} of {operation.Path}, operation {operation.Number})")
{
    public FileOperation Operation => operation;

    /// <summary>
    /// Of a write: the bytes that came to the file before it failed, fewer than all. Over what a file has already they are whole sectors, as after a crash (the system copies whole pages there);
    /// a file that grows may end anywhere.
    /// </summary>
    public int BytesOf(long offset, int length, long fileBytes)
    {
        const int sectorBytes = 512;
        var done = Math.Min(bytesDone, length - 1);
        return offset + length <= fileBytes ? done / sectorBytes * sectorBytes : done;
    }
}
