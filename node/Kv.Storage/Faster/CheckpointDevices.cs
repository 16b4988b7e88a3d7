using FASTER.core;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>Devices for the files of FASTER's own checkpoints, in a directory per token; deleted by us and never by FASTER.</summary>
internal sealed class CheckpointDevices(IStorageFiles files, string directory, Func<bool> hasFailed, Action<Exception> fail) : INamedDeviceFactory
{
    // Guards the list: FASTER asks from the thread that checkpoints, we sync from ours.
    private readonly Lock gate = new();
    private readonly List<string> written = [];

    public void Initialize(string baseName)
    {
        // The directory is given in full by the constructor.
    }

    public IDevice Get(FileDescriptor fileInfo)
    {
        var holder = Path.Combine(directory, fileInfo.directoryName);
        files.CreateDirectory(holder);
        var path = Path.Combine(holder, fileInfo.fileName);
        lock (gate)
        {
            written.Add(path);
        }

        var device = new SegmentDevice(files, path, isInline: true, hasFailed, fail);
        device.Initialize(-1);
        return device;
    }

    public void Delete(FileDescriptor fileInfo)
    {
        // A checkpoint of FASTER's is deleted only when the next one's metadata is on disk: FasterCheckpoints does that.
    }

    public IEnumerable<FileDescriptor> ListContents(string path) =>
        files.List(Path.Combine(directory, path)).Reverse().Select(name => new FileDescriptor(Path.Combine(path, name), ""));

    /// <summary>Syncs every file that was handed out since the last call, and the directories that hold them.</summary>
    public void SyncAll()
    {
        string[] paths;
        lock (gate)
        {
            paths = [.. written.Distinct()];
            written.Clear();
        }

        var directories = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var holder = Path.GetDirectoryName(path)!;
            var name = Path.GetFileName(path) + ".0";
            if (!files.Exists(Path.Combine(holder, name)))
            {
                continue; // A device that FASTER asked for and did not write, such as the delta log's.
            }

            using var file = files.Open(Path.Combine(holder, name), FileOpening.Existing);
            file.Sync();
            for (var above = holder; above.Length >= directory.Length; above = Path.GetDirectoryName(above)!)
            {
                directories.Add(above);
            }
        }

        foreach (var one in directories)
        {
            files.SyncDirectory(one);
        }
    }
}
