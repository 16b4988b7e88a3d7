using System.Buffers.Binary;
using System.Text;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Ordered;

/// <summary>
/// RocksDB's list of its files, a log of blocks of 32 KiB with records of a checksum, a length and a kind (RocksDB's <c>log_format.h</c>). Of a kind that only its write-ahead logs have, where the first record
/// was of another, RocksDB's reader takes nothing and reads on from there, for ever: such a file is not given to it. All else that is wrong with it RocksDB finds.
/// </summary>
internal static class OrderedManifest
{
    private const string CurrentName = "CURRENT";
    private const string NamePrefix = "MANIFEST-";
    private const int MostNameBytes = 256;
    private const int BlockBytes = 32 * 1024;
    private const int HeaderBytes = 7;
    private const int LengthAt = 4;
    private const int KindAt = 6;

    /// <summary>The last of none (room made ahead), a whole record, and the first, a middle and the last part of one.</summary>
    private const byte LastKind = 4;

    /// <param name="files">Where the directory is.</param>
    /// <param name="directory">RocksDB's; one that is not there, or without such a list, is left to RocksDB.</param>
    /// <exception cref="StoreDamagedException">It has such a record.</exception>
    public static void ThrowIfUnreadable(IStorageFiles files, string directory)
    {
        if (PathOf(files, directory) is not { } path)
        {
            return;
        }

        using var file = files.Open(path, FileOpening.Existing);
        var block = new byte[BlockBytes];
        var read = BlockBytes;
        for (long offset = 0; read == BlockBytes; offset += read)
        {
            read = file.Read(offset, block);
            if (FindKind(block.AsSpan(0, read)) is var (at, kind))
            {
                throw new StoreDamagedException($"The ordered records in {directory} are damaged: {Path.GetFileName(path)} has a record of kind {kind} at {offset + at}, expected {LastKind} at most.");
            }
        }
    }

    private static string? PathOf(IStorageFiles files, string directory)
    {
        var current = Path.Combine(directory, CurrentName);
        if (!files.Exists(current))
        {
            return null;
        }

        using var file = files.Open(current, FileOpening.Existing);
        var text = new byte[MostNameBytes];
        var name = Encoding.Latin1.GetString(text.AsSpan(0, file.Read(0, text))).TrimEnd('\n');
        var path = Path.Combine(directory, name);
        return name.StartsWith(NamePrefix, StringComparison.Ordinal) && name.AsSpan(NamePrefix.Length).IndexOfAnyExceptInRange('0', '9') < 0 && files.Exists(path) ? path : null;
    }

    private static (int At, byte Kind)? FindKind(ReadOnlySpan<byte> block)
    {
        for (var at = 0; at + HeaderBytes <= block.Length;)
        {
            if (block[at + KindAt] > LastKind)
            {
                return (at, block[at + KindAt]);
            }

            at += HeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(block[(at + LengthAt)..]);
        }

        return null;
    }
}
