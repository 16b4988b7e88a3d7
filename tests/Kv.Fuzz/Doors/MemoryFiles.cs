using Kv.Storage.Files;

namespace Kv.Fuzz.Doors;

/// <summary>Files in memory, by their path; directories are not told apart.</summary>
internal sealed class MemoryFiles : IStorageFiles
{
    private readonly SortedDictionary<string, byte[]> files = new(StringComparer.Ordinal);

    public byte[] this[string path]
    {
        get => files[path];
        set => files[path] = value;
    }

    public IStorageFile Open(string path, FileOpening opening)
    {
        if (opening == FileOpening.Existing && !files.ContainsKey(path))
        {
            throw new FileNotFoundException(path);
        }

        if (opening == FileOpening.Create || !files.ContainsKey(path))
        {
            files[path] = [];
        }

        return new Opened(this, path);
    }

    public bool Exists(string path) => files.ContainsKey(path);

    public IReadOnlyList<string> List(string directory) => [.. files.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path))];

    public void CreateDirectory(string directory)
    {
    }

    public void Delete(string path) => files.Remove(path);

    public void DeleteDirectory(string directory) => throw new NotSupportedException();

    public void Rename(string from, string to)
    {
        files[to] = files[from];
        files.Remove(from);
    }

    public void SyncDirectory(string directory)
    {
    }

    public long FreeBytes(string directory) => long.MaxValue;

    public IDisposable Lock(string path) => throw new NotSupportedException();

    private sealed class Opened(MemoryFiles all, string path) : IStorageFile
    {
        public long Length => all[path].Length;

        public int Read(long offset, Span<byte> buffer)
        {
            if (offset < 0)
            {
                throw new IOException($"there is no offset {offset}");
            }

            var left = all[path].AsSpan((int)Math.Min(offset, all[path].Length));
            left = left[..Math.Min(left.Length, buffer.Length)];
            left.CopyTo(buffer);
            return left.Length;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            var held = all[path];
            Array.Resize(ref held, Math.Max(held.Length, (int)offset + bytes.Length));
            bytes.CopyTo(held.AsSpan((int)offset));
            all[path] = held;
        }

        public void Sync()
        {
        }

        public void Dispose()
        {
        }
    }
}
