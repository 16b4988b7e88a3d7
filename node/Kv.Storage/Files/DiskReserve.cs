namespace Kv.Storage.Files;

/// <summary>
/// Room for small files on a disk that is full: a file of zeros that is given up when one cannot be written, and made again as soon as there is room. What is written
/// replaces an older file of about its size, so that what is given up comes back at once.
/// </summary>
internal sealed class DiskReserve(IStorageFiles files, string directory)
{
    /// <summary>Larger than any fact or manifest but the document of a cluster with thousands of buckets that have properties of their own.</summary>
    public const int Bytes = 1024 * 1024;

    private const string FileName = "reserve";

    private string FilePath => Path.Combine(directory, FileName);

    /// <summary>Makes it, where it is not there whole. No room for it is no reason not to go on.</summary>
    public void Make()
    {
        try
        {
            if (files.Exists(FilePath))
            {
                using var there = files.Open(FilePath, FileOpening.Existing);
                if (there.Length == Bytes)
                {
                    return;
                }
            }

            using var file = files.Open(FilePath, FileOpening.Create);
            file.Write(0, new byte[Bytes]);
            file.Sync();
        }
        catch (IOException)
        {
            // What was written of it is room too.
        }
    }

    /// <summary>Replaces a sealed file, by what is given up where there is no room.</summary>
    public void Write(string path, Action write)
    {
        try
        {
            write();
        }
        catch (IOException) when (TryGiveUp())
        {
            // From the beginning, in a new file: nothing of the first attempt counts.
            files.Delete(path + SealedFile.TemporarySuffix);
            write();
            Make();
        }
    }

    private bool TryGiveUp()
    {
        if (!files.Exists(FilePath))
        {
            return false;
        }

        files.Delete(FilePath);
        files.SyncDirectory(directory);
        return true;
    }
}
