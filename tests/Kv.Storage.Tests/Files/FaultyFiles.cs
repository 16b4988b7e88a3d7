using Kv.Storage.Files;

namespace Kv.Storage.Tests.Files;

/// <summary>
/// A disk in memory that knows what is on stable storage and what is not. Before any operation a <see cref="DiskImage"/> can be taken: what a crash at
/// that moment could leave. Bytes that were written and not synced may survive, get lost, or survive in part, sector by sector and in any order; names that
/// were made, changed or deleted survive up to some point per directory, and all of them once it was synced.
/// </summary>
internal sealed class FaultyFiles : IStorageFiles
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Inode> entries;
    private readonly Dictionary<string, Inode> durableEntries;
    private readonly Dictionary<string, List<NameChange>> unsyncedNames;
    private readonly HashSet<string> locks = [];
    private long? capacity;

    public FaultyFiles()
        : this([])
    {
    }

    internal FaultyFiles(Dictionary<string, Inode> entries)
    {
        unsyncedNames = [];
        this.entries = new Dictionary<string, Inode>(entries, StringComparer.Ordinal);
        durableEntries = new Dictionary<string, Inode>(entries, StringComparer.Ordinal);
    }

    internal FaultyFiles(Dictionary<string, Inode> entries, Dictionary<string, Inode> durableEntries, Dictionary<string, List<NameChange>> unsyncedNames) =>
        (this.entries, this.durableEntries, this.unsyncedNames) = (entries, durableEntries, unsyncedNames);

    /// <summary>A disk with one directory that outlives crashes, as a volume's mount point does.</summary>
    public static FaultyFiles WithDirectory(string directory)
    {
        var disk = new FaultyFiles();
        disk.CreateDirectory(directory);
        disk.SyncDirectory(Path.GetDirectoryName(directory)!);
        return disk;
    }

    /// <summary>Gets each operation before it happens, by its number; may throw <see cref="IOException"/> to make it fail.</summary>
    public Action<FileOperation>? Before { get; set; }

    /// <summary>Gets the path of each file before it is read and of each directory before it is listed; may throw.</summary>
    public Action<string>? BeforeRead { get; set; }

    /// <summary>Called with the path of a file before it is written to, when nothing of the disk is held; may take its time.</summary>
    public Action<string>? BeforeWrite { get; set; }

    /// <summary>What goes wrong; null where nothing does. <see cref="Before"/> goes first.</summary>
    public DiskFault? Fault { get; set; }

    public long Operations { get; private set; }

    public long FreeBytesLeft { get; set; } = 1L << 40;

    /// <summary>From now on there is room for what is deleted and for nothing else; new names need none. <see cref="Before"/> goes first.</summary>
    public void FillUp()
    {
        FreeBytesLeft = 0;
        capacity = UsedBytes();
    }

    /// <summary>There is room again.</summary>
    public void MakeRoom()
    {
        FreeBytesLeft = 1L << 40;
        capacity = null;
    }

    public IStorageFile Open(string path, FileOpening opening)
    {
        lock (gate)
        {
            var exists = entries.TryGetValue(path, out var inode);
            if (exists && opening != FileOpening.Create)
            {
                Fault?.BeforeLook("open", path);
                return new FaultyFile(this, inode!, path);
            }

            if (opening == FileOpening.Existing)
            {
                Fault?.BeforeLook("open", path);
                throw new FileNotFoundException("No such file.", path);
            }

            Count("create", path);
            return new FaultyFile(this, SetName(path, new Inode()), path);
        }
    }

    public bool Exists(string path)
    {
        Fault?.BeforeLook("exists", path);
        lock (gate)
        {
            return entries.ContainsKey(path);
        }
    }

    public IReadOnlyList<string> List(string directory)
    {
        BeforeRead?.Invoke(directory);
        Fault?.BeforeLook("list", directory);
        lock (gate)
        {
            return [.. entries.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
    }

    public void CreateDirectory(string directory)
    {
        lock (gate)
        {
            if (Path.GetDirectoryName(directory) is not { } parent || entries.ContainsKey(directory))
            {
                return;
            }

            CreateDirectory(parent);
            Count("mkdir", directory);
            SetName(directory, new Inode { IsDirectory = true });
        }
    }

    public void Delete(string path)
    {
        lock (gate)
        {
            if (entries.ContainsKey(path))
            {
                Count("delete", path);
                RemoveName(path);
            }
        }
    }

    public void DeleteDirectory(string directory)
    {
        lock (gate)
        {
            foreach (var path in entries.Keys.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal)).OrderByDescending(path => path.Length).ToArray())
            {
                Count("delete", path);
                RemoveName(path);
            }

            if (entries.ContainsKey(directory))
            {
                Count("rmdir", directory);
                RemoveName(directory);
            }
        }
    }

    public void Rename(string from, string to)
    {
        lock (gate)
        {
            Count("rename", to);
            var inode = entries[from];
            entries.Remove(from);
            entries[to] = inode;
            ChangesOf(to).Add(new NameChange(from, to, inode));
        }
    }

    public void SyncDirectory(string directory)
    {
        lock (gate)
        {
            Count("sync directory", directory);
            foreach (var change in ChangesOf(directory + "/x"))
            {
                change.Apply(durableEntries);
            }

            ChangesOf(directory + "/x").Clear();
        }
    }

    public long FreeBytes(string directory)
    {
        Fault?.BeforeLook("free bytes", directory);
        return FreeBytesLeft;
    }

    public IDisposable Lock(string path)
    {
        Fault?.BeforeLook("lock", path);
        lock (gate)
        {
            return locks.Add(path) ? new Unlock(() => locks.Remove(path)) : throw new IOException($"{path} is locked.");
        }
    }

    /// <summary>What a crash now could leave; to be called from <see cref="Before"/> or between operations.</summary>
    public DiskImage Capture()
    {
        lock (gate)
        {
            var inodes = new Dictionary<Inode, Inode>();
            Inode Copy(Inode inode)
            {
                if (!inodes.TryGetValue(inode, out var copy))
                {
                    inodes[inode] = copy = new Inode { IsDirectory = inode.IsDirectory, Durable = inode.Durable };
                    copy.Unsynced.AddRange(inode.Unsynced);
                }

                return copy;
            }

            return new DiskImage(
                durableEntries.ToDictionary(pair => pair.Key, pair => Copy(pair.Value)),
                unsyncedNames.ToDictionary(pair => pair.Key, pair => pair.Value.ConvertAll(change => change with { Inode = change.Inode is null ? null : Copy(change.Inode) })));
        }
    }

    /// <summary>Changes one byte on the disk, as rot does.</summary>
    public void Rot(string path, long offset, byte flip = 0x10)
    {
        lock (gate)
        {
            var inode = entries[path];
            inode.Put((int)offset, [(byte)(inode.Current[offset] ^ flip)]);
            inode.Durable = inode.Current.AsSpan(0, inode.Length).ToArray();
            inode.Unsynced.Clear();
        }
    }

    internal byte[] Content(string path)
    {
        lock (gate)
        {
            return entries[path].Current.AsSpan(0, entries[path].Length).ToArray();
        }
    }

    /// <summary>Bytes of all files.</summary>
    public long UsedBytes()
    {
        lock (gate)
        {
            return entries.Values.Distinct().Sum(inode => (long)inode.Length);
        }
    }

    private void Require(long bytes)
    {
        if (bytes > 0 && capacity is { } most && UsedBytes() + bytes > most)
        {
            throw new IOException("No space left on device.");
        }
    }

    private Inode SetName(string path, Inode inode)
    {
        entries[path] = inode;
        ChangesOf(path).Add(new NameChange(null, path, inode));
        return inode;
    }

    private void RemoveName(string path)
    {
        entries.Remove(path);
        ChangesOf(path).Add(new NameChange(path, null, null));
    }

    private List<NameChange> ChangesOf(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (!unsyncedNames.TryGetValue(directory, out var changes))
        {
            unsyncedNames[directory] = changes = [];
        }

        return changes;
    }

    private void Count(string what, string path)
    {
        var operation = new FileOperation(++Operations, what, path);
        Before?.Invoke(operation);
        Fault?.BeforeChange(operation);
    }

    /// <summary>One open file.</summary>
    private sealed class FaultyFile(FaultyFiles disk, Inode inode, string path) : IStorageFile
    {
        public long Length
        {
            get
            {
                lock (disk.gate)
                {
                    return inode.Length;
                }
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            disk.BeforeRead?.Invoke(path);
            disk.Fault?.BeforeLook("read", path);
            lock (disk.gate)
            {
                var count = (int)Math.Clamp(inode.Length - offset, 0, buffer.Length);
                inode.Current.AsSpan((int)Math.Min(offset, inode.Length), count).CopyTo(buffer);
                return count;
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            disk.BeforeWrite?.Invoke(path);
            lock (disk.gate)
            {
                try
                {
                    disk.Count("write", path);
                }
                catch (DiskFaultException fault)
                {
                    Put((int)offset, bytes[..fault.BytesOf(offset, bytes.Length, inode.Length)]);
                    throw;
                }

                disk.Require(Math.Max(0, offset + bytes.Length - inode.Length));
                Put((int)offset, bytes);
            }
        }

        public void Sync()
        {
            lock (disk.gate)
            {
                try
                {
                    disk.Count("sync", path);
                }
                catch (DiskFaultException fault)
                {
                    inode.LoseUnsynced(seed: (int)fault.Operation.Number);
                    throw;
                }

                inode.Sync();
            }
        }

        public void Dispose()
        {
            // Nothing is held.
        }

        private void Put(int offset, ReadOnlySpan<byte> bytes)
        {
            if (!bytes.IsEmpty)
            {
                var copy = bytes.ToArray();
                if (offset == 0 && copy.Length >= inode.Length)
                {
                    inode.Share(copy);
                }
                else
                {
                    inode.Put(offset, copy);
                }

                inode.Unsynced.Add((offset, copy));
            }
        }
    }

    private sealed class Unlock(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
