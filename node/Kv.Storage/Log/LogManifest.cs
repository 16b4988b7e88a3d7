using System.Buffers.Binary;
using Kv.Core.Stores;
using Kv.Storage.Files;

namespace Kv.Storage.Log;

/// <summary>
/// What must be there at the next start: the oldest and the newest segment, and for each store the checkpoint that made older segments
/// superfluous. Without it a lost segment at either end, or a lost store directory, would pass for nothing. Body, format version 1:
/// 16 bytes identity of the log, then as 64-bit little-endian numbers the oldest segment's first sequence number, the newest segment's, the count of stores, and for
/// each store partition, birth and covered sequence number.
/// </summary>
internal sealed record LogManifest(Guid LogId, long OldestLsn, long NewestLsn, IReadOnlyList<StoreCoverage> Stores)
{
    public const uint FormatVersion = 1;
    public const string FileName = "manifest";
    private const int FixedBytes = 40;
    private const int StoreBytes = 24;

    public void Write(IStorageFiles files, string directory)
    {
        var body = new byte[FixedBytes + (Stores.Count * StoreBytes)];
        LogId.TryWriteBytes(body);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(16), OldestLsn);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(24), NewestLsn);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(32), Stores.Count);
        var at = FixedBytes;
        foreach (var ((partition, birth), covered) in Stores)
        {
            BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(at), partition);
            BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(at + 8), birth);
            BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(at + 16), covered);
            at += StoreBytes;
        }

        SealedFile.Write(files, Path.Combine(directory, FileName), SealedFileKind.LogManifest, FormatVersion, body);
    }

    /// <summary>The manifest, or null where there is none.</summary>
    /// <exception cref="StoreException">It is damaged or of an unknown format version.</exception>
    public static LogManifest? Read(IStorageFiles files, string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (SealedFile.Read(files, path, SealedFileKind.LogManifest, FormatVersion) is not { } body)
        {
            return null;
        }

        if (body.Length < FixedBytes || body.Length != FixedBytes + (BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(32)) * StoreBytes))
        {
            throw LogDamage.At(path, SealedFile.HeaderBytes, "a body of 40 bytes and 24 for each store", $"{body.Length} bytes");
        }

        var stores = new List<StoreCoverage>();
        for (var at = FixedBytes; at < body.Length; at += StoreBytes)
        {
            var identity = new StoreIdentity((int)BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(at)), BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(at + 8)));
            stores.Add(new StoreCoverage(identity, BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(at + 16))));
        }

        return new LogManifest(
            new Guid(body.AsSpan(0, 16)), BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(16)), BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(24)), stores);
    }
}
