using System.Buffers;
using System.Runtime.InteropServices;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Faster;

/// <summary>
/// The checksums of one file of FASTER's log, in a file beside it, since FASTER has none for what it keeps of a record itself. For each sector of 512 bytes in turn: the CRC-32C
/// of its bytes (32 bits, little-endian; 1 where it is 0), or 0 where it is not known: nothing was written there, or by an older program, and it passes. They count only with a checkpoint that has their mark (a sealed file, which carries the version, here 1; its body is the checkpoint's
/// <see cref="CheckpointTail"/>, or empty where a program before that wrote it): an older program may have written over what they are of.
/// </summary>
internal sealed class SectorSums(IStorageFile file) : IDisposable
{
    public const int SectorBytes = 512;
    public const uint FormatVersion = 1;
    private const string MarkFileName = "sectors";
    private const int SumBytes = sizeof(uint);

    /// <summary>Makes the sums those of a checkpoint, whose index lies in a directory as seen from the store's.</summary>
    /// <param name="tail">Null where it is not known for certain.</param>
    public static void Mark(IStorageFiles files, string directory, string index, CheckpointTail? tail) =>
        SealedFile.Write(files, MarkOf(directory, index), SealedFileKind.SectorSums, FormatVersion, tail?.Encode());

    /// <exception cref="StoreException">The mark is damaged, or of an unknown format version.</exception>
    public static bool HasMark(IStorageFiles files, string directory, string index) => ReadMark(files, MarkOf(directory, index)) is not null;

    /// <summary>The tail in the mark of a checkpoint that ends at an address; null where it has none.</summary>
    /// <exception cref="StoreException">The mark is damaged, or of an unknown format version.</exception>
    public static CheckpointTail? ReadTail(IStorageFiles files, string directory, string index, long end) =>
        ReadMark(files, MarkOf(directory, index)) is { } body ? CheckpointTail.Decode(MarkOf(directory, index), body, end) : null;

    public void Write(long offset, ReadOnlySpan<byte> sectors) => Put(offset, sectors, isKnown: true);

    /// <summary>Says of sectors that nothing is known of them; on disk when it returns. For what a crash could leave half written over.</summary>
    public void Forget(long offset, ReadOnlySpan<byte> sectors)
    {
        Put(offset, sectors, isKnown: false);
        file.Sync();
    }

    /// <summary>The offset of the first sector that is not as it was written; null where all are, or not known.</summary>
    public long? FirstRotten(long offset, ReadOnlySpan<byte> sectors)
    {
        var count = sectors.Length / SectorBytes;
        var rented = ArrayPool<uint>.Shared.Rent(count);
        try
        {
            var sums = rented.AsSpan(0, count);
            var there = file.Read(offset / SectorBytes * SumBytes, MemoryMarshal.AsBytes(sums)) / SumBytes;
            for (var index = 0; index < there; index++)
            {
                if (sums[index] != 0 && sums[index] != SumOf(sectors, index))
                {
                    return offset + ((long)index * SectorBytes);
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(rented);
        }
    }

    public void Sync() => file.Sync();

    public void Dispose() => file.Dispose();

    private static string MarkOf(string directory, string index) => Path.Combine(directory, index, MarkFileName);

    private static byte[]? ReadMark(IStorageFiles files, string path) =>
        SealedFile.Read(files, path, SealedFileKind.SectorSums, FormatVersion, static reason => new StoreDamagedException(reason));

    private void Put(long offset, ReadOnlySpan<byte> sectors, bool isKnown)
    {
        var count = sectors.Length / SectorBytes;
        var rented = ArrayPool<uint>.Shared.Rent(count);
        for (var index = 0; index < count; index++)
        {
            rented[index] = isKnown ? SumOf(sectors, index) : 0;
        }

        try
        {
            file.Write(offset / SectorBytes * SumBytes, MemoryMarshal.AsBytes(rented.AsSpan(0, count)));
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(rented);
        }
    }

    private static uint SumOf(ReadOnlySpan<byte> sectors, int index) => Math.Max(1, Crc32C.Of(sectors.Slice(index * SectorBytes, SectorBytes)));
}
