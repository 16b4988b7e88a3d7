using Kv.Storage.Files;

namespace Kv.Storage.Tests.Files;

/// <summary>The real disk, which may be said to be fuller than it is, and how often it was asked for its room.</summary>
internal sealed class CountingFiles : IStorageFiles
{
    private int looksAtTheRoom;

    /// <summary>Bytes that are said to be free; null for the truth.</summary>
    public long? FreeBytesLeft { get; init; }

    public int LooksAtTheRoom => Volatile.Read(ref looksAtTheRoom);

    public IStorageFile Open(string path, FileOpening opening) => DiskFiles.Instance.Open(path, opening);

    public bool Exists(string path) => DiskFiles.Instance.Exists(path);

    public IReadOnlyList<string> List(string directory) => DiskFiles.Instance.List(directory);

    public void CreateDirectory(string directory) => DiskFiles.Instance.CreateDirectory(directory);

    public void Delete(string path) => DiskFiles.Instance.Delete(path);

    public void DeleteDirectory(string directory) => DiskFiles.Instance.DeleteDirectory(directory);

    public void Rename(string from, string to) => DiskFiles.Instance.Rename(from, to);

    public void SyncDirectory(string directory) => DiskFiles.Instance.SyncDirectory(directory);

    public long FreeBytes(string directory)
    {
        Interlocked.Increment(ref looksAtTheRoom);
        return FreeBytesLeft ?? DiskFiles.Instance.FreeBytes(directory);
    }

    public IDisposable Lock(string path) => DiskFiles.Instance.Lock(path);
}
