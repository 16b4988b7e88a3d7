using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Kv.Core.Codecs;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// The trees of a vnode's store, by range, with what says whether they can be believed: the layout that keys were put into ranges by, and when they were last
/// built from the data. One writer; readers beside it see each segment before or after a change. Durable form, little endian:
/// <code>
/// format version, 1 (1)
/// layout (8), built at, Unix seconds (8)
/// number of trees (4), then each, in ascending order of ranges:
///   first partition (4), n_val (1), number of branches that are not empty (4), then each: branch (1), 256 segment hashes (4 each)
/// </code>
/// </summary>
public sealed class HashTrees
{
    public const byte FormatVersion = 1;
    private const int HeaderBytes = 1 + 8 + 8 + 4;
    private const int TreeHeaderBytes = 4 + 1 + 4;
    private const int BranchBytes = 1 + (HashTree.SegmentsPerBranch * 4);

    // Swapped whole by the one writer, so that readers beside it need no lock.
    private volatile ImmutableSortedDictionary<TreeRange, HashTree> trees = ImmutableSortedDictionary<TreeRange, HashTree>.Empty;

    /// <summary>Names the rules by which keys were put into ranges; 0 where the trees were never built, so that nothing may be concluded from them.</summary>
    public ulong Layout { get; init; }

    /// <summary>Unix seconds; 0 where they were never built.</summary>
    public long BuiltAt { get; init; }

    public IEnumerable<TreeRange> Ranges => trees.Keys;

    /// <summary>The range's tree; null where the range never had an entry.</summary>
    public HashTree? Find(TreeRange range) => trees.GetValueOrDefault(range);

    // hot
    public void Apply(in TreeChange change)
    {
        if (!trees.TryGetValue(change.Range, out var tree))
        {
            tree = new HashTree();
            trees = trees.Add(change.Range, tree);
        }

        tree.Toggle(change.Segment, change.Hash);
    }

    /// <summary>The trees that hold once a batch is written: these, changed in place, or the batch's own.</summary>
    public HashTrees After(WriteBatch batch)
    {
        var after = batch.NewTrees ?? this;
        for (var index = 0; index < batch.TreeChanges.Count; index++)
        {
            after.Apply(batch.TreeChanges[index]);
        }

        return after;
    }

    public byte[] Encode()
    {
        var held = trees;
        var length = HeaderBytes + (held.Count * TreeHeaderBytes);
        foreach (var tree in held.Values)
        {
            length += FilledBranches(tree) * BranchBytes;
        }

        var bytes = new byte[length];
        var writer = new ByteWriter(bytes);
        writer.WriteByte(FormatVersion);
        writer.WriteUInt64(Layout);
        writer.WriteUInt64((ulong)BuiltAt);
        writer.WriteUInt32((uint)held.Count);
        foreach (var (range, tree) in held)
        {
            writer.WriteUInt32((uint)range.First.Number);
            writer.WriteByte((byte)range.NVal);
            writer.WriteUInt32((uint)FilledBranches(tree));
            WriteBranches(ref writer, tree);
        }

        return bytes;
    }

    /// <summary>Reads <see cref="Encode"/>'s bytes back. False, with the reason, for others: the trees have to be built anew then.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out HashTrees? result, out string reason)
    {
        result = null;
        if (bytes.Length > 0 && bytes[0] != FormatVersion)
        {
            reason = FormattableString.Invariant($"trees of format version {bytes[0]}, and this program knows version {FormatVersion}");
            return false;
        }

        reason = "trees that are cut short or malformed";
        var reader = new ByteReader(bytes, 0);
        reader.ReadByte();
        var read = new HashTrees { Layout = reader.ReadUInt64(), BuiltAt = (long)reader.ReadUInt64() };
        var count = reader.ReadUInt32();
        TreeRange? last = null;
        for (var index = 0u; index < count && !reader.Failed; index++)
        {
            var range = new TreeRange(new PartitionId((int)reader.ReadUInt32()), reader.ReadByte());
            var tree = ReadTree(ref reader);
            if (tree is null || range <= last || range.First.Number < 0 || range.NVal == 0)
            {
                return false;
            }

            read.trees = read.trees.Add(range, tree);
            last = range;
        }

        if (reader.Failed || reader.Left != 0)
        {
            return false;
        }

        result = read;
        return true;
    }

    private static HashTree? ReadTree(ref ByteReader reader)
    {
        var tree = new HashTree();
        var filled = reader.ReadUInt32();
        var last = -1;
        for (var index = 0u; index < filled; index++)
        {
            var branch = reader.ReadByte();
            var leaves = new uint[HashTree.SegmentsPerBranch];
            for (var leaf = 0; leaf < leaves.Length; leaf++)
            {
                leaves[leaf] = reader.ReadUInt32();
            }

            if (reader.Failed || branch <= last)
            {
                return null;
            }

            tree.SetLeaves(branch, leaves);
            last = branch;
        }

        return tree;
    }

    private static int FilledBranches(HashTree tree)
    {
        var filled = 0;
        for (var branch = 0; branch < HashTree.Branches; branch++)
        {
            filled += tree.LeavesOf(branch).IsEmpty ? 0 : 1;
        }

        return filled;
    }

    private static void WriteBranches(ref ByteWriter writer, HashTree tree)
    {
        for (var branch = 0; branch < HashTree.Branches; branch++)
        {
            var leaves = tree.LeavesOf(branch);
            if (leaves.IsEmpty)
            {
                continue;
            }

            writer.WriteByte((byte)branch);
            foreach (var leaf in leaves)
            {
                writer.WriteUInt32(leaf);
            }
        }
    }
}
