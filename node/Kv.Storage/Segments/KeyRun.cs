using System.Buffers.Binary;
using System.Globalization;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Segments;

/// <summary>
/// A file of keys that came and went, by segment, never changed once it is written; its table stays in memory. Segments are cut into slots of equal width, each read
/// in one piece and checked. Numbers are little-endian.
/// <code>
/// magic "KVKEYRUN" (8), format version (4), slots (4; a power of two), keys (8), CRC-32C of all before and of the table (4)
/// table, for each slot: offset in the file (8), bytes (4), CRC-32C of them (4)
/// slots, each key in order of segments: segment (2), length times two, plus one for a key that lives (4), key
/// </code>
/// </summary>
internal sealed class KeyRun : IDisposable
{
    public const uint FormatVersion = 1;
    public const int HeaderBytes = 28;
    public const int TableEntryBytes = 16;
    public const int KeyHeaderBytes = 6;

    private readonly IStorageFile file;
    private readonly string path;
    private readonly byte[] table;
    private int cachedSlot = -1;
    private byte[] cached = [];

    private KeyRun(IStorageFile file, string path, int number, byte[] table, long keys) =>
        (this.file, this.path, Number, this.table, Keys) = (file, path, number, table, keys);

    public static ReadOnlySpan<byte> Magic => "KVKEYRUN"u8;

    /// <summary>Names the file; newer runs have higher ones.</summary>
    public int Number { get; }

    /// <summary>Keys in it, dead ones too.</summary>
    public long Keys { get; }

    /// <summary>Of its keys with what stands before each.</summary>
    public long Bytes
    {
        get
        {
            var bytes = 0L;
            for (var at = 8; at < table.Length; at += TableEntryBytes)
            {
                bytes += BinaryPrimitives.ReadInt32LittleEndian(table.AsSpan(at));
            }

            return bytes;
        }
    }

    private int Slots => table.Length / TableEntryBytes;

    /// <exception cref="StoreException">The file is damaged or of a version that this program does not know.</exception>
    public static KeyRun Open(IStorageFiles files, string path, int number)
    {
        var file = files.Open(path, FileOpening.Existing);
        try
        {
            var header = new byte[HeaderBytes];
            if (file.Read(0, header) != HeaderBytes || !header.AsSpan(0, 8).SequenceEqual(Magic))
            {
                throw new StoreException($"{path} is damaged at offset 0: expected the magic KVKEYRUN.");
            }

            var version = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
            if (version != FormatVersion)
            {
                throw new StoreException($"{path} has format version {version} and this program knows version {FormatVersion}.");
            }

            var slots = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
            var table = slots is > 0 and <= HashTree.Segments ? new byte[slots * TableEntryBytes] : [];
            if (table.Length == 0 || file.Read(HeaderBytes, table) != table.Length
                || Crc32C.Of(header.AsSpan(0, HeaderBytes - 4), table) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderBytes - 4)))
            {
                throw new StoreException($"{path} is damaged at offset {HeaderBytes}: its table does not match its checksum.");
            }

            return new KeyRun(file, path, number, table, BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(16)));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The highest number of a run's file in the directory, whatever is in it; 0 where there is none.</summary>
    public static int LastNumber(IStorageFiles files, string directory, string prefix) => files.List(directory)
        .Select(name => name.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
        .DefaultIfEmpty(0)
        .Max();

    /// <summary>Adds the segment's keys with whether each lives; one that is there already is newer and stays. One reader at a time.</summary>
    /// <exception cref="StoreException">The slot is damaged.</exception>
    public void Collect(int segment, Dictionary<ReadOnlyMemory<byte>, bool> found)
    {
        var slot = (int)((long)segment * Slots / HashTree.Segments);
        if (slot != cachedSlot)
        {
            (cachedSlot, cached) = (slot, ReadSlot(slot));
        }

        for (var at = 0; at < cached.Length;)
        {
            var word = at > cached.Length - KeyHeaderBytes ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(cached.AsSpan(at + 2));
            var length = (int)(word >> 1);
            if (length > cached.Length - at - KeyHeaderBytes)
            {
                throw new StoreException($"{path} is damaged: a key ends behind its slot of {cached.Length} bytes, though their checksum matches.");
            }

            var held = BinaryPrimitives.ReadUInt16LittleEndian(cached.AsSpan(at));
            if (held > segment)
            {
                return;
            }

            if (held == segment)
            {
                found.TryAdd(cached.AsMemory(at + KeyHeaderBytes, length), (word & 1) != 0);
            }

            at += KeyHeaderBytes + length;
        }
    }

    public void Dispose() => file.Dispose();

    private byte[] ReadSlot(int slot)
    {
        var entry = table.AsSpan(slot * TableEntryBytes);
        var offset = BinaryPrimitives.ReadInt64LittleEndian(entry);
        var length = BinaryPrimitives.ReadInt32LittleEndian(entry[8..]);
        if (offset < 0 || length < 0 || offset > file.Length - length)
        {
            throw new StoreException($"{path} is damaged at offset {HeaderBytes}: a slot of {length} bytes at {offset} ends behind the file's {file.Length}.");
        }

        var bytes = new byte[length];
        if (file.Read(offset, bytes) != bytes.Length || Crc32C.Of(bytes) != BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]))
        {
            throw new StoreException($"{path} is damaged at offset {offset}: its keys do not match their checksum.");
        }

        return bytes;
    }
}
