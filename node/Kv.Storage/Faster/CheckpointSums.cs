using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>
/// What the files of a checkpoint of FASTER's have to be, since its index has no checksum and takes a key whose entry rotted for one that is not there. A sealed file in the directory of the
/// checkpoint's index. Body, format version 1: for each file its path below the store's directory (a string as <see cref="BinaryWriter"/> writes it), its length (64 bits) and the CRC-32C of all of it (32 bits).
/// </summary>
internal static class CheckpointSums
{
    public const uint FormatVersion = 1;
    public const string FileName = "checksums";
    private const int ChunkBytes = 256 * 1024;

    /// <summary>Of all files in the directories, which are named as seen from the store's; on disk when it returns.</summary>
    public static void Write(IStorageFiles files, string directory, string index, string log)
    {
        using var body = new MemoryStream();
        using var writer = new BinaryWriter(body);
        foreach (var holder in new[] { index, log })
        {
            foreach (var name in files.List(Path.Combine(directory, holder)))
            {
                var path = Path.Combine(holder, name);
                var (length, sum) = Read(files, Path.Combine(directory, path));
                writer.Write(path);
                writer.Write(length);
                writer.Write(sum);
            }
        }

        writer.Flush();
        SealedFile.Write(files, Path.Combine(directory, index, FileName), SealedFileKind.CheckpointSums, FormatVersion, body.GetBuffer().AsSpan(0, (int)body.Length));
    }

    /// <summary>Compares the files with what they have to be. A checkpoint of an older program has no sums, and passes.</summary>
    /// <exception cref="StoreDamagedException">One is not as it was written.</exception>
    public static void Check(IStorageFiles files, string directory, string index)
    {
        var own = Path.Combine(directory, index, FileName);
        if (SealedFile.Read(files, own, SealedFileKind.CheckpointSums, FormatVersion, static reason => new StoreDamagedException(reason)) is not { } body)
        {
            return;
        }

        using var reader = new BinaryReader(new MemoryStream(body));
        while (reader.BaseStream.Position < body.Length)
        {
            var path = Path.Combine(directory, reader.ReadString());
            var (length, sum) = (reader.ReadInt64(), reader.ReadUInt32());
            var found = files.Exists(path) ? Read(files, path) : default;
            if (found != (length, sum))
            {
                throw new StoreDamagedException($"{path} is damaged at offset 0: expected {length} bytes with CRC-32C {sum}, found {found.Length} with {found.Sum}.");
            }
        }
    }

    private static (long Length, uint Sum) Read(IStorageFiles files, string path)
    {
        using var file = files.Open(path, FileOpening.Existing);
        var chunk = new byte[Math.Min(ChunkBytes, file.Length)];
        var (at, sum) = (0L, 0u);
        while (at < file.Length && file.Read(at, chunk.AsSpan(0, (int)Math.Min(chunk.Length, file.Length - at))) is > 0 and var got)
        {
            sum = Crc32C.Of(sum, chunk.AsSpan(0, got));
            at += got;
        }

        return (at, sum);
    }
}
