using System.Buffers.Binary;
using Kv.Core.AntiEntropy;
using Kv.Core.Stores;
using Kv.Fuzz.Doors;
using Kv.Fuzz.Running;
using Kv.Storage.Faster;
using Kv.Storage.Files;
using Kv.Storage.Log;
using Kv.Storage.Ordered;
using Kv.Storage.Segments;

namespace Kv.Fuzz.Targets;

/// <summary>
/// Small files of a node's disk. The first byte says which: the log's manifest, a store's checkpoint, the manifest as it comes, RocksDB's list of its files, a run of keys. But for those that
/// come as they are, checksums are put right.
/// </summary>
internal sealed class FilesTarget : FuzzTarget
{
    private const string Directory = "/d";
    private const byte Manifest = 0;
    private const byte Checkpoint = 1;
    private const byte AsItComes = 2;
    private const byte OrderedList = 3;
    private const byte Run = 4;
    private const int Kinds = 5;
    private const int MostSlots = 4;

    private static readonly StoreIdentity Store = new(3, 77);

    public override string Name => "files";

    /// <summary>RocksDB's list is read in blocks.</summary>
    public override long FixedBytes => 512 * 1024;

    /// <summary>A run's slots may be the same bytes, each read by itself.</summary>
    public override long BytesPerByte => 1024;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var files = new MemoryFiles();
            new LogManifest(Guid.Parse("6f0c6f3e-26a1-4fd4-8f5a-2f6b6a5b7c11"), 1, 9, [new StoreCoverage(Store, 5)]).Write(files, Directory);
            new StoreCheckpoint(Store, 5, 1, 10, 4096, 65536, 64, Guid.Empty, Guid.Empty, new OrderedPart(5, 1, 9)).Write(files, Directory, new HashTrees().Encode());
            using (var run = new KeyRunWriter(files, Path.Combine(Directory, "run"), expectedBytes: 10_000))
            {
                run.Add(3, "a"u8, isLive: true);
                run.Add(40_000, "bc"u8, isLive: false);
                run.Finish();
            }

            var (manifest, checkpoint) = (files[Path.Combine(Directory, LogManifest.FileName)], files[Path.Combine(Directory, StoreCheckpoint.FileName)]);
            return
            [
                [Manifest, .. manifest[SealedFile.HeaderBytes..]],
                [Checkpoint, .. checkpoint[SealedFile.HeaderBytes..]],
                [AsItComes, .. manifest],
                [AsItComes, .. checkpoint],
                [OrderedList, 1, 2, 3, 4, 3, 0, 1, 9, 9, 9, 1, 2, 3, 4, 0, 0, 0],
                [Run, .. files[Path.Combine(Directory, "run")]],
            ];
        }
    }

    public override void Take(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        try
        {
            Read(input[0] % Kinds, input[1..]);
        }
        catch (StoreException)
        {
            // The refusal of a damaged file.
        }
    }

    private static void Read(int kind, byte[] bytes)
    {
        var files = new MemoryFiles();
        switch (kind)
        {
            case Manifest:
                SealedFile.Write(files, Path.Combine(Directory, LogManifest.FileName), SealedFileKind.LogManifest, LogManifest.FormatVersion, bytes);
                _ = LogManifest.Read(files, Directory);
                break;
            case Checkpoint:
                SealedFile.Write(files, Path.Combine(Directory, StoreCheckpoint.FileName), SealedFileKind.Checkpoint, StoreCheckpoint.FormatVersion, bytes);
                _ = StoreCheckpoint.Read(files, Directory, Store);
                break;
            case AsItComes:
                files[Path.Combine(Directory, LogManifest.FileName)] = bytes;
                _ = LogManifest.Read(files, Directory);
                break;
            case OrderedList:
                files[Path.Combine(Directory, "CURRENT")] = "MANIFEST-000005\n"u8.ToArray();
                files[Path.Combine(Directory, "MANIFEST-000005")] = bytes;
                OrderedManifest.ThrowIfUnreadable(files, Directory);
                break;
            case Run:
                files[Path.Combine(Directory, "run")] = WithSums(bytes);
                ReadRun(files);
                break;
        }
    }

    private static void ReadRun(MemoryFiles files)
    {
        using var run = KeyRun.Open(files, Path.Combine(Directory, "run"), number: 1);
        _ = run.Bytes;
        for (var segment = 0; segment < HashTree.Segments; segment += HashTree.Segments / MostSlots)
        {
            run.Collect(segment, new Dictionary<ReadOnlyMemory<byte>, bool>(KeyBytesComparer.Instance));
        }
    }

    /// <summary>A run of few slots whose checksums hold, of slots that lie in it.</summary>
    private static byte[] WithSums(byte[] run)
    {
        if (run.Length < KeyRun.HeaderBytes)
        {
            return run;
        }

        var slots = 1 << (run[12] & 2);
        BinaryPrimitives.WriteInt32LittleEndian(run.AsSpan(12), slots);
        var end = KeyRun.HeaderBytes + (slots * KeyRun.TableEntryBytes);
        if (end > run.Length)
        {
            return run;
        }

        for (var at = KeyRun.HeaderBytes; at < end; at += KeyRun.TableEntryBytes)
        {
            var (offset, length) = (BinaryPrimitives.ReadInt64LittleEndian(run.AsSpan(at)), BinaryPrimitives.ReadInt32LittleEndian(run.AsSpan(at + 8)));
            if (offset >= end && length >= 0 && offset <= run.Length && length <= run.Length - offset)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(run.AsSpan(at + 12), Crc32C.Of(run.AsSpan((int)offset, length)));
            }
        }

        BinaryPrimitives.WriteUInt32LittleEndian(run.AsSpan(KeyRun.HeaderBytes - 4), Crc32C.Of(run.AsSpan(0, KeyRun.HeaderBytes - 4), run.AsSpan(KeyRun.HeaderBytes, end - KeyRun.HeaderBytes)));
        return run;
    }
}
