using System.Buffers.Binary;
using Google.Protobuf;

namespace Kv.Kubectl.Import;

/// <summary>
/// A bucket's keys in a file, so that the source's listing ends as soon as it can and an import that goes on later knows where it was. After
/// 16 bytes that no other list begins with, a key is length (4 bytes, big endian) and bytes. Whether all keys are in it is not said here.
/// </summary>
internal sealed class KeySpool(string path)
{
    private const int MaxChunkKeys = 5_000;
    private const int MaxChunkBytes = 4 * 1024 * 1024;
    private const int IdBytes = 16;

    /// <summary>Where the first key lies.</summary>
    public const long Start = IdBytes;

    /// <summary>Writes what <paramref name="list"/> gives in place of what was there; the number of keys, and what tells this list from every other.</summary>
    public async Task<(long Keys, Guid Id)> FillAsync(Func<Action<IEnumerable<ByteString>>, Task> list)
    {
        var (count, id) = (0L, Guid.NewGuid());

        // Without a buffer: what could not be written would be tried again at its end.
        await using var file = Guarded(() => new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0));
        Guarded(() => file.Write(id.ToByteArray()));
        await list(keys =>
        {
            using var page = new MemoryStream();
            var length = new byte[4];
            foreach (var key in keys)
            {
                BinaryPrimitives.WriteInt32BigEndian(length, key.Length);
                page.Write(length);
                page.Write(key.Span);
                count++;
            }

            Guarded(() => file.Write(page.GetBuffer().AsSpan(0, (int)page.Length)));
        });
        Guarded(() => file.Flush(flushToDisk: true));
        return (count, id);
    }

    /// <summary>Whether the file is that list, and has that many bytes.</summary>
    public bool Holds(Guid id, long offset)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        return Guarded(() =>
        {
            using var file = File.OpenRead(path);
            var found = new byte[IdBytes];
            return file.Length >= Math.Max(offset, IdBytes) && file.ReadAtLeast(found, IdBytes) == IdBytes && new Guid(found) == id;
        });
    }

    /// <summary>The next keys behind an offset, and the offset behind them; none at the end. Fails where the file is not what was written.</summary>
    public (IReadOnlyList<ByteString> Keys, long Next) Read(long offset)
    {
        var keys = new List<ByteString>();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 64 * 1024);
        file.Position = offset;
        var header = new byte[4];
        for (var bytes = 0; keys.Count < MaxChunkKeys && bytes < MaxChunkBytes && offset < file.Length;)
        {
            file.ReadExactly(header);
            var length = BinaryPrimitives.ReadInt32BigEndian(header);
            if (length < 0 || length > file.Length - file.Position)
            {
                throw new InvalidDataException($"{path} is damaged");
            }

            var key = new byte[length];
            file.ReadExactly(key);
            keys.Add(UnsafeByteOperations.UnsafeWrap(key));
            bytes += length;
            offset += header.Length + length;
        }

        // A listing of a ring that changes may name a key twice, and a key is not copied twice at once.
        return ([.. keys.Distinct()], offset);
    }

    private void Guarded(Action write) => Guarded(() =>
    {
        write();
        return true;
    });

    private T Guarded<T>(Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"the list of keys cannot be kept in {path} (--state names another directory): {e.Message}", e);
        }
    }
}
