namespace Kv.Storage.Files;

/// <summary>The files of a local disk.</summary>
public sealed class DiskFiles : IStorageFiles
{
    public static DiskFiles Instance { get; } = new();

    public IStorageFile Open(string path, FileOpening opening)
    {
        var mode = opening switch
        {
            FileOpening.Create => FileMode.Create,
            FileOpening.Existing => FileMode.Open,
            _ => FileMode.OpenOrCreate,
        };
        return new DiskFile(File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete), path);
    }

    /// <summary>As <see cref="Path.Exists"/>, which takes what cannot be looked at for absent; here that is an error.</summary>
    public bool Exists(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    public IReadOnlyList<string> List(string directory)
    {
        try
        {
            var names = Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)).ToArray();
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    public void CreateDirectory(string directory) => Directory.CreateDirectory(directory);

    public void Delete(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    public void DeleteDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public void Rename(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    public void SyncDirectory(string directory) => NativeFiles.SyncDirectory(directory);

    public long FreeBytes(string directory) => new DriveInfo(Path.GetFullPath(directory)).AvailableFreeSpace;

    public IDisposable Lock(string path) => new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
}
