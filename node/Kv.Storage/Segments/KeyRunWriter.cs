using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Kv.Core.AntiEntropy;
using Kv.Storage.Files;

namespace Kv.Storage.Segments;

/// <summary>Writes a <see cref="KeyRun"/>: segments in order, each with its keys, then the table. The file counts once a manifest names it.</summary>
internal sealed class KeyRunWriter : IDisposable
{
    private const int SlotBytes = 4096;

    private readonly IStorageFile file;
    private readonly ArrayBufferWriter<byte> slot = new(2 * SlotBytes);
    private readonly byte[] head;
    private readonly int slots;
    private long offset;
    private int current;
    private long keys;

    /// <param name="files">Where it is written.</param>
    /// <param name="path">The file; one that is there, left over from a crash, is replaced.</param>
    /// <param name="expectedBytes">About how much there will be, from which slots are given their size.</param>
    public KeyRunWriter(IStorageFiles files, string path, long expectedBytes)
    {
        slots = (int)Math.Min(HashTree.Segments, BitOperations.RoundUpToPowerOf2((ulong)(expectedBytes / SlotBytes) + 1));
        head = new byte[KeyRun.HeaderBytes + (slots * KeyRun.TableEntryBytes)];
        offset = head.Length;
        file = files.Open(path, FileOpening.Create);
    }

    public void Add(int segment, ReadOnlySpan<byte> key, bool isLive)
    {
        for (var wanted = (int)((long)segment * slots / HashTree.Segments); current < wanted;)
        {
            EndSlot();
        }

        var to = slot.GetSpan(KeyRun.KeyHeaderBytes + key.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)segment);
        BinaryPrimitives.WriteUInt32LittleEndian(to[2..], ((uint)key.Length << 1) | (isLive ? 1u : 0u));
        key.CopyTo(to[KeyRun.KeyHeaderBytes..]);
        slot.Advance(KeyRun.KeyHeaderBytes + key.Length);
        keys++;
    }

    /// <summary>Puts it on disk; its name is there for certain once its directory was synced.</summary>
    public void Finish()
    {
        while (current < slots)
        {
            EndSlot();
        }

        KeyRun.Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), KeyRun.FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), slots);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), keys);
        var fixedPart = head.AsSpan(0, KeyRun.HeaderBytes - 4);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(KeyRun.HeaderBytes - 4), Crc32C.Of(fixedPart, head.AsSpan(KeyRun.HeaderBytes)));
        file.Write(0, head);
        file.Sync();
    }

    public void Dispose() => file.Dispose();

    private void EndSlot()
    {
        var bytes = slot.WrittenSpan;
        var entry = head.AsSpan(KeyRun.HeaderBytes + (current++ * KeyRun.TableEntryBytes));
        BinaryPrimitives.WriteInt64LittleEndian(entry, offset);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], Crc32C.Of(bytes));
        if (!bytes.IsEmpty)
        {
            file.Write(offset, bytes);
            offset += bytes.Length;
        }

        slot.ResetWrittenCount();
    }
}
