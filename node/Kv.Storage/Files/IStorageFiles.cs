namespace Kv.Storage.Files;

/// <summary>
/// The few file operations that the log, the node state and the stores use, so that tests can fail any of them. A name that was created,
/// renamed or deleted is certain after a crash only once its directory was synced. Failures throw <see cref="IOException"/>.
/// </summary>
public interface IStorageFiles
{
    IStorageFile Open(string path, FileOpening opening);

    bool Exists(string path);

    /// <summary>The names (not paths) of files and directories in a directory, in ordinal order; none where there is no such directory.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Makes the directory and those above it where they are missing.</summary>
    void CreateDirectory(string directory);

    /// <summary>Deletes a file; nothing happens where there is none.</summary>
    void Delete(string path);

    /// <summary>Deletes a directory with all in it; nothing happens where there is none.</summary>
    void DeleteDirectory(string directory);

    /// <summary>Gives a file or directory another name; a file of that name is replaced in one step.</summary>
    void Rename(string from, string to);

    /// <summary>Puts the directory's names on stable storage.</summary>
    void SyncDirectory(string directory);

    /// <summary>Bytes that this process may still write on the directory's volume.</summary>
    long FreeBytes(string directory);

    /// <summary>Takes the lock file for this process until disposed; held by another, throws <see cref="IOException"/>.</summary>
    IDisposable Lock(string path);
}
