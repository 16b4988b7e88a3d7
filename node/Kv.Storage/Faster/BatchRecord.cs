using System.Buffers.Binary;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Storage.Log;

namespace Kv.Storage.Faster;

/// <summary>
/// A batch as the log's payload, with what each of its keys held before. Numbers are little-endian. A batch with ordered keys or index entries has version 4; of the others those that change no trees have
/// version 1, and those that do version 3; version 2, which is read, has of a place only its segment.
/// <code>
/// format version (1), number of entries (4)
/// version 3 and 4: number of tree changes (4), bytes of new trees (4; 0 for none), then
///   each change: first partition (4), n_val (1), place (4; see HashTree), hash (4)
///   new trees, as HashTrees has them
/// version 4: number of index changes (4), then each: 1 for an entry that is added, 0 for one that is removed (1), its length (4), the entry
/// each entry:
///   flags (1): 1 put, 2 the key was live, 4 its value was chunked, 8 it is ordered, 16 it was found among the ordered
///   length of the key (4), length of the value (4; 0 for a removal)
///   flag 2: length of the prior value (4)    flag 4: prior chunks' sequence number (8) and entry (4)
///   key, value
/// </code>
/// </summary>
internal sealed class BatchRecord : ILogPayload
{
    public const byte FormatVersion = 4;
    private const byte VersionWithoutOrdered = 3;
    private const byte VersionWithSegments = 2;
    private const byte VersionWithoutTrees = 1;
    private const int FixedBytes = 5;
    private const int TreesFixedBytes = 8;
    private const int TreeChangeBytes = 13;
    private const int IndexFixedBytes = 4;
    private const int IndexChangeBytes = 5;
    private const int EntryBytes = 9;
    private const int Places = HashTree.Segments << HashTree.MaxDepth;
    private const byte PutFlag = 1;
    private const byte LiveFlag = 2;
    private const byte ChunkedFlag = 4;
    private const byte OrderedFlag = 8;
    private const byte WasOrderedFlag = 16;

    private readonly List<PriorValue> priors = [];
    private WriteBatch? batch;
    private byte[] newTrees = [];
    private byte version;

    public int Length { get; private set; }

    /// <summary>The batch has ordered keys or index entries.</summary>
    public bool HasOrdered => version == FormatVersion;

    public void Begin(WriteBatch source)
    {
        batch = source;
        priors.Clear();
        newTrees = source.NewTrees?.Encode() ?? [];
        version = NamesOrdered(source) ? FormatVersion : source.ChangesTrees ? VersionWithoutOrdered : VersionWithoutTrees;
        Length = FixedBytes
            + (version == VersionWithoutTrees ? 0 : TreesFixedBytes + (source.TreeChanges.Count * TreeChangeBytes) + newTrees.Length)
            + (version == FormatVersion ? IndexFixedBytes + source.IndexChanges.Sum(static change => IndexChangeBytes + change.Entry.Length) : 0);
    }

    /// <summary>Adds what the next entry's key held before.</summary>
    /// <exception cref="ArgumentException">The batch is longer than the log can hold.</exception>
    public void Add(in PriorValue prior)
    {
        var (key, value, _) = batch!.Entries[priors.Count];
        priors.Add(prior);
        var length = (long)Length + EntryBytes + key.Length + (value?.Length ?? 0) + (prior.Exists ? 4 : 0) + (prior.Chunks is null ? 0 : 12);
        if (length > Array.MaxLength)
        {
            throw new ArgumentException("The batch is longer than 2 GiB.");
        }

        Length = (int)length;
    }

    public PriorValue Prior(int entry) => priors[entry];

    public void CopyTo(Span<byte> target)
    {
        target[0] = version;
        BinaryPrimitives.WriteInt32LittleEndian(target[1..], priors.Count);
        var at = FixedBytes + (version == VersionWithoutTrees ? 0 : WriteTrees(target[FixedBytes..]));
        at += version == FormatVersion ? WriteIndexChanges(batch!.IndexChanges, target[at..]) : 0;
        for (var index = 0; index < priors.Count; index++)
        {
            at += WriteEntry(batch!.Entries[index], priors[index], target[at..]);
        }
    }

    private int WriteTrees(Span<byte> target)
    {
        var changes = batch!.TreeChanges;
        BinaryPrimitives.WriteInt32LittleEndian(target, changes.Count);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], newTrees.Length);
        var at = TreesFixedBytes;
        for (var index = 0; index < changes.Count; index++, at += TreeChangeBytes)
        {
            var (range, place, hash) = changes[index];
            BinaryPrimitives.WriteInt32LittleEndian(target[at..], range.First.Number);
            target[at + 4] = checked((byte)range.NVal);
            BinaryPrimitives.WriteInt32LittleEndian(target[(at + 5)..], place);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(at + 9)..], hash);
        }

        newTrees.CopyTo(target[at..]);
        return at + newTrees.Length;
    }

    private static bool NamesOrdered(WriteBatch source)
    {
        if (source.IndexChanges.Count > 0)
        {
            return true;
        }

        for (var index = 0; index < source.Count; index++)
        {
            if (source.Entries[index].Backend == StoreBackend.Ordered)
            {
                return true;
            }
        }

        return false;
    }

    private static int WriteIndexChanges(IReadOnlyList<IndexChange> changes, Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, changes.Count);
        var at = IndexFixedBytes;
        foreach (var (entry, isAdded) in changes)
        {
            target[at] = isAdded ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteInt32LittleEndian(target[(at + 1)..], entry.Length);
            entry.Span.CopyTo(target[(at + IndexChangeBytes)..]);
            at += IndexChangeBytes + entry.Length;
        }

        return at;
    }

    private static int WriteEntry(in WriteBatch.Entry entry, in PriorValue prior, Span<byte> target)
    {
        target[0] = (byte)((entry.Value is null ? 0 : PutFlag) | (prior.Exists ? LiveFlag : 0) | (prior.Chunks is null ? 0 : ChunkedFlag)
            | (entry.Backend == StoreBackend.Ordered ? OrderedFlag : 0) | (prior.Backend == StoreBackend.Ordered ? WasOrderedFlag : 0));
        var value = entry.Value.GetValueOrDefault();
        BinaryPrimitives.WriteInt32LittleEndian(target[1..], entry.Key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(target[5..], value.Length);
        var at = EntryBytes;
        if (prior.Exists)
        {
            BinaryPrimitives.WriteInt32LittleEndian(target[at..], prior.Length);
            at += 4;
        }

        if (prior.Chunks is { } chunks)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target[at..], chunks.Lsn);
            BinaryPrimitives.WriteInt32LittleEndian(target[(at + 8)..], chunks.Entry);
            at += 12;
        }

        entry.Key.Span.CopyTo(target[at..]);
        at += entry.Key.Length;
        value.Span.CopyTo(target[at..]);
        return at + value.Length;
    }

    /// <summary>Reads a payload back, entry by entry, in order.</summary>
    /// <exception cref="StoreException">Another format version, or lengths that do not add up.</exception>
    public static IEnumerable<(WriteBatch.Entry Entry, PriorValue Prior)> Read(ReadOnlyMemory<byte> payload)
    {
        var at = FixedBytes + TreesBytes(payload.Span);
        foreach (var (entry, _) in ReadIndexChanges(payload))
        {
            at += IndexChangeBytes + entry.Length;
        }

        at += payload.Span[0] == FormatVersion ? IndexFixedBytes : 0;
        var count = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[1..]);
        for (var index = 0; index < count; index++)
        {
            yield return ReadEntry(payload, ref at);
        }
    }

    /// <summary>Reads back what a payload's batch does to the index, in order.</summary>
    /// <exception cref="StoreException">Another format version, or lengths that do not add up.</exception>
    public static IEnumerable<IndexChange> ReadIndexChanges(ReadOnlyMemory<byte> payload)
    {
        var at = FixedBytes + TreesBytes(payload.Span);
        if (payload.Span[0] != FormatVersion)
        {
            yield break;
        }

        var count = at > payload.Length - IndexFixedBytes ? throw CutShort(payload.Length, "before its index entries") : BinaryPrimitives.ReadInt32LittleEndian(payload.Span[at..]);
        at += IndexFixedBytes;
        for (var index = 0; index < count; index++)
        {
            var length = at > payload.Length - IndexChangeBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload.Span[(at + 1)..]);
            if (length < 0 || length > payload.Length - at - IndexChangeBytes)
            {
                throw CutShort(payload.Length, "in the middle of its index entries");
            }

            yield return new IndexChange(payload.Slice(at + IndexChangeBytes, length), payload.Span[at] == 1);
            at += IndexChangeBytes + length;
        }
    }

    /// <summary>The trees after a payload's batch: those before, changed, or the batch's own.</summary>
    /// <exception cref="StoreException">Another format version, or bytes that are no changes of trees.</exception>
    public static HashTrees ReadTrees(ReadOnlyMemory<byte> payload, HashTrees trees)
    {
        var bytes = payload.Span;
        if (TreesBytes(bytes) == 0)
        {
            return trees;
        }

        var changes = BinaryPrimitives.ReadInt32LittleEndian(bytes[FixedBytes..]);
        var at = FixedBytes + TreesFixedBytes;
        var whole = bytes.Slice(at + (changes * TreeChangeBytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[(FixedBytes + 4)..]));
        if (!whole.IsEmpty)
        {
            trees = HashTrees.TryDecode(whole, out var read, out var reason) ? read : throw new StoreException($"A batch in the log has {reason}, though its checksum matches.");
        }

        for (var index = 0; index < changes; index++, at += TreeChangeBytes)
        {
            var (first, nVal) = (BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]), bytes[at + 4]);
            var place = (long)BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + 5)..]) << (bytes[0] == VersionWithSegments ? HashTree.MaxDepth : 0);
            if (first < 0 || nVal == 0 || place is < 0 or >= Places)
            {
                throw new StoreException($"A batch in the log changes place {place} of the tree of {first}/{nVal}, and there is none, though its checksum matches.");
            }

            var range = new TreeRange(new PartitionId(first), nVal);
            trees.Apply(new TreeChange(range, (int)place, BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 9)..])));
        }

        return trees;
    }

    /// <summary>Bytes between the payload's beginning and its entries that tell of trees.</summary>
    private static int TreesBytes(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FixedBytes || payload[0] is not (FormatVersion or VersionWithoutOrdered or VersionWithSegments or VersionWithoutTrees))
        {
            var found = payload.Length == 0 ? "none" : payload[0].ToString(System.Globalization.CultureInfo.InvariantCulture);
            throw new StoreException($"A batch in the log has format version {found} and this program knows versions {VersionWithoutTrees} to {FormatVersion}.");
        }

        if (payload[0] == VersionWithoutTrees)
        {
            return 0;
        }

        long changes = payload.Length < FixedBytes + TreesFixedBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload[FixedBytes..]);
        long whole = changes < 0 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload[(FixedBytes + 4)..]);
        var length = TreesFixedBytes + (changes * TreeChangeBytes) + whole;
        return whole < 0 || length > payload.Length - FixedBytes
            ? throw CutShort(payload.Length, "in the middle of its changes of trees")
            : (int)length;
    }

    private static (WriteBatch.Entry Entry, PriorValue Prior) ReadEntry(ReadOnlyMemory<byte> payload, ref int at)
    {
        try
        {
            var span = payload.Span;
            var head = span.Slice(at, EntryBytes);
            var (flags, keyBytes, valueBytes) = (head[0], BinaryPrimitives.ReadInt32LittleEndian(head[1..]), BinaryPrimitives.ReadInt32LittleEndian(head[5..]));
            at += EntryBytes;
            var prior = PriorValue.Absent;
            if ((flags & LiveFlag) != 0)
            {
                var was = (flags & WasOrderedFlag) != 0 ? StoreBackend.Ordered : StoreBackend.Hash;
                prior = new PriorValue(true, BinaryPrimitives.ReadInt32LittleEndian(span[at..]), null, was);
                at += 4;
            }

            if ((flags & ChunkedFlag) != 0)
            {
                prior = prior with
                {
                    Chunks = new ChunkedValue(BinaryPrimitives.ReadInt64LittleEndian(span[at..]), BinaryPrimitives.ReadInt32LittleEndian(span[(at + 8)..]), prior.Length, 0),
                };
                at += 12;
            }

            var key = payload.Slice(at, keyBytes);

            // Cut out whatever becomes of it: its length has to add up. Spelled out: a bare null would become an empty value here, by way of the conversion from arrays.
            var content = payload.Slice(at + keyBytes, valueBytes);
            var value = (flags & PutFlag) != 0 ? content : default(ReadOnlyMemory<byte>?);
            at += keyBytes + valueBytes;
            return (new WriteBatch.Entry(key, value, (flags & OrderedFlag) != 0 ? StoreBackend.Ordered : StoreBackend.Hash), prior);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw CutShort(payload.Length, "in the middle of an entry", error);
        }
    }

    private static StoreException CutShort(int bytes, string where, Exception? cause = null) =>
        new($"A batch in the log ends at {bytes} bytes {where}, though its checksum matches.", cause);
}
