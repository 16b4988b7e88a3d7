using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.State;

/// <summary>
/// Node state as one sealed file per name in a directory. Writes of a name come one after another; each is on disk when its task completes.
/// The calls block on the disk (milliseconds): these are rare facts, not the data path. A disk that is full still takes them (<see cref="DiskReserve"/>): a node
/// that cannot write its record of actors, a promise or a document cannot even start and serve reads.
/// </summary>
public sealed class FileNodeState : INodeState
{
    /// <summary>Format of the values' files. Version 1: the body is the value.</summary>
    public const uint FormatVersion = 1;

    private const string Suffix = ".state";

    private readonly IStorageFiles files;
    private readonly string directory;
    private readonly DiskReserve reserve;

    // One write at a time: two of one name would share the temporary file.
    private readonly Lock gate = new();

    /// <summary>Opens or makes the directory and removes what a crash left half written.</summary>
    /// <exception cref="StoreException">The disk does not let it.</exception>
    public FileNodeState(IStorageFiles files, string directory)
    {
        this.files = files;
        this.directory = directory;
        reserve = new DiskReserve(files, directory);
        try
        {
            Make();
        }
        catch (IOException failure)
        {
            throw new StoreException($"The node's state in {directory} could not be opened: {failure.Message}", failure);
        }
    }

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken cancel)
    {
        StateName.Check(name);
        cancel.ThrowIfCancellationRequested();
        lock (gate)
        {
            var body = Guarded(name, () => SealedFile.Read(files, FilePath(name), SealedFileKind.NodeState, FormatVersion));
            return ValueTask.FromResult(body is null ? (ReadOnlyMemory<byte>?)null : body);
        }
    }

    public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        StateName.Check(name);
        cancel.ThrowIfCancellationRequested();
        lock (gate)
        {
            Guarded<byte[]?>(name, () =>
            {
                var path = FilePath(name);
                reserve.Write(path, () => SealedFile.Write(files, path, SealedFileKind.NodeState, FormatVersion, value.Span));
                return null;
            });
        }

        return ValueTask.CompletedTask;
    }

    private void Make()
    {
        files.CreateDirectory(directory);
        foreach (var name in files.List(directory))
        {
            if (name.EndsWith(SealedFile.TemporarySuffix, StringComparison.Ordinal))
            {
                files.Delete(Path.Combine(directory, name));
            }
        }

        files.SyncDirectory(directory);
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
        {
            files.SyncDirectory(parent);
        }

        reserve.Make();
    }

    private static T Guarded<T>(string name, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException failure)
        {
            throw new StoreException($"Node state \"{name}\" could not be read or written: {failure.Message}", failure);
        }
    }

    private string FilePath(string name) => Path.Combine(directory, name + Suffix);
}
