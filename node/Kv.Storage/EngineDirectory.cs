using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage;

/// <summary>The data directory as a whole: one process at a time, and a format that this program knows.</summary>
internal static class EngineDirectory
{
    /// <summary>Version of the directory's layout: <c>log</c>, <c>stores</c>, <c>engine</c>, <c>lock</c>. The files in it have versions of their own.</summary>
    public const uint FormatVersion = 1;

    public const string FormatName = "engine";
    public const string LockName = "lock";

    /// <summary>Makes the directory where it is missing and takes it for this process.</summary>
    /// <exception cref="StoreException">Another process has it.</exception>
    public static IDisposable Take(IStorageFiles files, string directory)
    {
        var path = Path.Combine(directory, LockName);
        try
        {
            files.CreateDirectory(directory);
            if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
            {
                files.SyncDirectory(parent);
            }

            return files.Lock(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The data directory {directory} cannot be taken (is another node running on it? its lock file is {path}): {error.Message}", error);
        }
    }

    /// <exception cref="StoreException">The layout is of another version, or the directory had data and its log is gone.</exception>
    public static void CheckFormat(IStorageFiles files, string directory)
    {
        var body = SealedFile.Read(files, Path.Combine(directory, FormatName), SealedFileKind.EngineIdentity, FormatVersion);
        var manifest = Path.Combine(directory, "log", Log.LogManifest.FileName);
        if (body is not null && !files.Exists(manifest))
        {
            throw new StoreException($"The data directory {directory} is in use since an earlier start, but its log is gone: expected {manifest}, found no such file.");
        }
    }

    /// <summary>Notes that the directory is in use from now on.</summary>
    public static void MarkFormat(IStorageFiles files, string directory)
    {
        var path = Path.Combine(directory, FormatName);
        if (!files.Exists(path))
        {
            SealedFile.Write(files, path, SealedFileKind.EngineIdentity, FormatVersion, []);
        }
    }
}
