using System.Buffers.Binary;
using Kv.Core.Stores;
using Kv.Storage.Files;
using Kv.Storage.Log;

namespace Kv.Storage.Faster;

/// <summary>
/// What a store's checkpoint is, in our own words: the file <c>checkpoint</c> of the store's directory. It appears by a rename when all that it names
/// is on disk, so there is one at any time and it is whole. Body, format version 1, 64-bit little-endian numbers and two 16-byte tokens: partition,
/// birth, covered sequence number, live keys, live bytes, page bytes, segment bytes, begin address, index token, log token. Version 2, of a store with ordered records, which
/// the numbers before are without, has after these the sequence number that RocksDB had on disk, and live keys and live bytes in it.
/// </summary>
internal sealed record StoreCheckpoint(
    StoreIdentity Store, long CoveredLsn, long Count, long Bytes, int PageBytes, long SegmentBytes, long BeginAddress, Guid IndexToken, Guid LogToken, OrderedPart? Ordered = null)
{
    public const uint FormatVersion = 2;
    public const string FileName = "checkpoint";
    private const uint VersionWithoutOrdered = 1;
    private const int BodyBytes = 96;
    private const int OrderedBytes = 24;

    /// <summary>Makes this the store's checkpoint, with the trees as they were at <see cref="CoveredLsn"/>.</summary>
    public void Write(IStorageFiles files, string directory, ReadOnlySpan<byte> trees)
    {
        StoreTreesFile.Write(files, directory, CoveredLsn, trees);
        Span<byte> body = stackalloc byte[BodyBytes + (Ordered is null ? 0 : OrderedBytes)];
        long[] numbers = [Store.Partition, Store.Birth, CoveredLsn, Count, Bytes, PageBytes, SegmentBytes, BeginAddress];
        for (var index = 0; index < numbers.Length; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(body[(index * 8)..], numbers[index]);
        }

        IndexToken.TryWriteBytes(body[64..]);
        LogToken.TryWriteBytes(body[80..]);
        if (Ordered is { } ordered)
        {
            BinaryPrimitives.WriteInt64LittleEndian(body[BodyBytes..], ordered.Sequence);
            BinaryPrimitives.WriteInt64LittleEndian(body[(BodyBytes + 8)..], ordered.Count);
            BinaryPrimitives.WriteInt64LittleEndian(body[(BodyBytes + 16)..], ordered.Bytes);
        }

        SealedFile.Write(files, Path.Combine(directory, FileName), SealedFileKind.Checkpoint, Ordered is null ? VersionWithoutOrdered : FormatVersion, body);
        StoreTreesFile.DeleteOthers(files, directory, CoveredLsn);
    }

    /// <summary>The store's checkpoint, or null where it has none.</summary>
    /// <exception cref="StoreException">It is damaged, of an unknown format version, or another store's.</exception>
    public static StoreCheckpoint? Read(IStorageFiles files, string directory, StoreIdentity expected)
    {
        var path = Path.Combine(directory, FileName);
        if (SealedFile.Read(files, path, SealedFileKind.Checkpoint, FormatVersion, static reason => new StoreDamagedException(reason), VersionWithoutOrdered) is not { } body)
        {
            return null;
        }

        if (body.Length is not (BodyBytes or BodyBytes + OrderedBytes))
        {
            throw new StoreDamagedException($"{path} is damaged at offset {SealedFile.HeaderBytes}: expected a body of {BodyBytes} or {BodyBytes + OrderedBytes} bytes, found {body.Length}.");
        }

        long Number(int index) => BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(index * 8));
        var store = new StoreIdentity((int)Number(0), Number(1));
        if (store != expected)
        {
            throw new StoreDamagedException($"{path} belongs to another store: expected {expected}, found {store}.");
        }

        return new StoreCheckpoint(
            store, Number(2), Number(3), Number(4), (int)Number(5), Number(6), Number(7), new Guid(body.AsSpan(64, 16)), new Guid(body.AsSpan(80, 16)),
            body.Length > BodyBytes ? new OrderedPart(Number(BodyBytes / 8), Number((BodyBytes / 8) + 1), Number((BodyBytes / 8) + 2)) : null);
    }
}
