using System.Buffers.Binary;
using Kv.Core.Stores;

namespace Kv.Storage.Files;

/// <summary>What a small durable file is; persisted in its header: append only.</summary>
internal enum SealedFileKind : uint
{
    NodeState = 1,
    LogManifest = 2,
    Checkpoint = 3,
    EngineIdentity = 4,
    StoreTrees = 5,
    SegmentIndex = 6,
    Damage = 7,
    CheckpointSums = 8,
    SectorSums = 9,
}

/// <summary>
/// A small file that is replaced whole: written beside, synced, renamed over, directory synced; so a crash leaves the old one or the new one.
/// All numbers are little-endian.
/// <code>
/// offset size
///      0    8  magic "KVSEALED"
///      8    4  kind of file
///     12    4  format version of that kind
///     16    4  length of the body
///     20    4  CRC-32C of bytes 0 to 19 and the body
///     24    n  body
/// </code>
/// </summary>
internal static class SealedFile
{
    public const string TemporarySuffix = ".new";
    public const int HeaderBytes = 24;
    private const int MaxBodyBytes = 256 * 1024 * 1024;

    private static ReadOnlySpan<byte> Magic => "KVSEALED"u8;

    public static void Write(IStorageFiles files, string path, SealedFileKind kind, uint formatVersion, ReadOnlySpan<byte> body)
    {
        var bytes = new byte[HeaderBytes + body.Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), formatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), body.Length);
        body.CopyTo(bytes.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), Crc32C.Of(bytes.AsSpan(0, 20), body));
        var temporary = path + TemporarySuffix;
        using (var file = files.Open(temporary, FileOpening.Create))
        {
            file.Write(0, bytes);
            file.Sync();
        }

        files.Rename(temporary, path);
        files.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>The body, or null where there is no such file. An older version that is read too is given as <paramref name="oldest"/>.</summary>
    /// <exception cref="StoreException">The file is torn, damaged or another kind (what <paramref name="damaged"/> makes of the reason, where it is given), or of a format version this program does not know.</exception>
    public static byte[]? Read(IStorageFiles files, string path, SealedFileKind kind, uint formatVersion, Func<string, StoreException>? damaged = null, uint? oldest = null)
    {
        StoreException Damaged(long offset, string expected, string found)
        {
            var reason = $"{path} is damaged at offset {offset}: expected {expected}, found {found}.";
            return damaged?.Invoke(reason) ?? new StoreException(reason);
        }

        void Expect(int offset, string field, uint expected, uint found)
        {
            if (expected != found)
            {
                throw Damaged(offset, $"{field} {expected}", $"{found}");
            }
        }


        if (!files.Exists(path))
        {
            return null;
        }

        using var file = files.Open(path, FileOpening.Existing);
        var length = file.Length;
        if (length is < HeaderBytes or > HeaderBytes + MaxBodyBytes)
        {
            throw Damaged(0, $"a file of {HeaderBytes} to {HeaderBytes + MaxBodyBytes} bytes", $"{length} bytes");
        }

        var bytes = new byte[length];
        if (file.Read(0, bytes) != bytes.Length || !bytes.AsSpan(0, 8).SequenceEqual(Magic))
        {
            throw Damaged(0, "the magic KVSEALED", Convert.ToHexString(bytes.AsSpan(0, 8)));
        }

        Expect(8, "kind", (uint)kind, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)));
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12));
        if (version > formatVersion || version < (oldest ?? formatVersion))
        {
            throw new StoreException($"{path} has format version {version} and this program knows version {formatVersion}; start the version of the program that wrote it, or a newer one.");
        }

        Expect(16, "body length", (uint)(length - HeaderBytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16)));
        Expect(20, "CRC-32C", Crc32C.Of(bytes.AsSpan(0, 20), bytes.AsSpan(HeaderBytes)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(20)));
        return bytes[HeaderBytes..];
    }
}
