using System.Buffers.Binary;
using System.Globalization;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// A segment file: its name, its first block, and how it is made ready: zero-filled and synced under a temporary name, so that writing into it
/// later changes neither size nor extents and a sync costs no journal commit.
/// <code>
/// offset size
///      0    8  magic "KVLOGSEG"
///      8    4  format version
///     12    4  size of the segment
///     16   16  identity of the log
///     32    8  sequence number of its first record
///     40    4  CRC-32C of bytes 0 to 39
///     44       zero to 4096, where the first record may start
/// </code>
/// </summary>
internal static class LogSegment
{
    public const uint FormatVersion = 1;
    public const int HeaderBytes = 4096;
    public const string Suffix = ".log";
    public const string ReadyName = "next.ready";
    // Made once: a segment is made ready whatever memory there is.
    private static readonly byte[] Zeros = new byte[1024 * 1024];
    private const int ChecksumOffset = 40;

    private static ReadOnlySpan<byte> Magic => "KVLOGSEG"u8;

    public static string FileName(long firstLsn) => firstLsn.ToString("D20", CultureInfo.InvariantCulture) + Suffix;

    public static bool TryParseName(string name, out long firstLsn)
    {
        firstLsn = 0;
        return name.EndsWith(Suffix, StringComparison.Ordinal)
            && name.Length == 20 + Suffix.Length
            && long.TryParse(name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out firstLsn);
    }

    /// <summary>Makes a file of zeros of the segment's size, on disk when it returns.</summary>
    public static void MakeReady(IStorageFiles files, string directory, int segmentBytes)
    {
        using var file = files.Open(Path.Combine(directory, ReadyName), FileOpening.Create);
        WriteZeros(file, 0, segmentBytes);
        file.Sync();
    }

    /// <summary>Whether a file that was made ready by an earlier run is there, whole and on disk; on a full disk it may be the only one to be had. One that is not, or cannot be read, is deleted.</summary>
    public static bool KeepReady(IStorageFiles files, string directory, int segmentBytes)
    {
        var path = Path.Combine(directory, ReadyName);
        if (!files.Exists(path))
        {
            return false;
        }

        try
        {
            using var file = files.Open(path, FileOpening.Existing);
            if (file.Length == segmentBytes && IsZeros(file))
            {
                file.Sync();
                return true;
            }
        }
        catch (IOException)
        {
            // Nothing is lost with it; another is made when it is needed.
        }

        files.Delete(path);
        return false;
    }

    public static void WriteZeros(IStorageFile file, long from, long to)
    {
        for (var offset = from; offset < to; offset += Zeros.Length)
        {
            file.Write(offset, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, to - offset)));
        }
    }

    /// <summary>Turns the ready file into the segment that starts with <paramref name="firstLsn"/>: header, sync, name, directory sync.</summary>
    public static IStorageFile Begin(IStorageFiles files, string directory, int segmentBytes, Guid logId, long firstLsn)
    {
        var ready = Path.Combine(directory, ReadyName);
        var path = Path.Combine(directory, FileName(firstLsn));
        using (var file = files.Open(ready, FileOpening.Existing))
        {
            Span<byte> header = stackalloc byte[ChecksumOffset + 4];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], FormatVersion);
            BinaryPrimitives.WriteInt32LittleEndian(header[12..], segmentBytes);
            logId.TryWriteBytes(header[16..]);
            BinaryPrimitives.WriteInt64LittleEndian(header[32..], firstLsn);
            BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumOffset..], Crc32C.Of(header[..ChecksumOffset]));
            file.Write(0, header);
            file.Sync();
        }

        files.Rename(ready, path);
        files.SyncDirectory(directory);
        return files.Open(path, FileOpening.Existing);
    }

    private static bool IsZeros(IStorageFile file)
    {
        var bytes = new byte[Math.Min(Zeros.Length, file.Length)];
        for (var offset = 0L; offset < file.Length; offset += bytes.Length)
        {
            var part = bytes.AsSpan(0, (int)Math.Min(bytes.Length, file.Length - offset));
            if (file.Read(offset, part) != part.Length || part.IndexOfAnyExcept((byte)0) >= 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <exception cref="StoreException">The header is damaged, of another log, or of a format version this program does not know.</exception>
    public static void CheckHeader(string path, ReadOnlySpan<byte> header, long fileBytes, Guid logId, long firstLsn)
    {
        if (header.Length < HeaderBytes || !header[..8].SequenceEqual(Magic))
        {
            throw LogDamage.At(path, 0, "the magic KVLOGSEG", header.Length < 8 ? $"a file of {header.Length} bytes" : Convert.ToHexString(header[..8]));
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        if (version != FormatVersion)
        {
            throw new StoreException(
                $"{path} has format version {version} and this program knows version {FormatVersion}; start the version of the program that wrote it, or a newer one.");
        }

        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumOffset..]);
        var computed = Crc32C.Of(header[..ChecksumOffset]);
        if (checksum != computed)
        {
            throw LogDamage.At(path, ChecksumOffset, $"CRC-32C {computed}", $"{checksum}");
        }

        var size = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        if (size != fileBytes)
        {
            throw LogDamage.At(path, 12, $"a segment of {size} bytes", $"a file of {fileBytes}");
        }

        var id = new Guid(header[16..32]);
        if (id != logId)
        {
            throw LogDamage.At(path, 16, $"log {logId}", $"log {id}");
        }

        var first = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
        if (first != firstLsn)
        {
            throw LogDamage.At(path, 32, $"first sequence number {firstLsn} as in its name", $"{first}");
        }
    }
}
