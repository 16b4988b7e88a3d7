using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Kv.Core.Codecs;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// The trees of a vnode's store, by range, with what says whether they can be believed: the layout that keys were put into ranges by, and when they were last
/// built from the data. One writer; readers beside it see each leaf before or after a change. Those of volatile ranges are no part of the durable form, little endian:
/// <code>
/// format version, 2 (1)
/// layout (8), built at, Unix seconds (8)
/// number of trees (4), then each, in ascending order of ranges:
///   first partition (4), n_val (1), depth (1), number of blocks of 256 leaves that are not empty (4), then each: block (4), its leaves' hashes (4 each)
/// </code>
/// Version 1, of before there were depths, has no depth, which is 0, and blocks of one byte; it is read.
/// </summary>
public sealed class HashTrees
{
    public const byte FormatVersion = 2;
    private const byte VersionWithoutDepth = 1;
    private const int HeaderBytes = 1 + 8 + 8 + 4;
    private const int TreeHeaderBytes = 4 + 1 + 1 + 4;
    private const int BlockBytes = 4 + (HashTree.BlockLeaves * 4);

    // Swapped whole by the one writer, so that readers beside it need no lock.
    private volatile ImmutableSortedDictionary<TreeRange, HashTree> trees = ImmutableSortedDictionary<TreeRange, HashTree>.Empty;

    /// <summary>Names the rules by which keys were put into ranges; 0 where the trees were never built, so that nothing may be concluded from them.</summary>
    public ulong Layout { get; init; }

    /// <summary>Unix seconds; 0 where they were never built.</summary>
    public long BuiltAt { get; init; }

    /// <summary>The depth of trees for ranges that had no entry yet.</summary>
    public int FirstDepth { get; init; }

    public IEnumerable<TreeRange> Ranges => trees.Keys;

    /// <summary>How long <see cref="Encode"/>'s bytes are now.</summary>
    public long EncodedBytes
    {
        get
        {
            var length = (long)HeaderBytes;
            foreach (var (_, tree) in Durable(trees))
            {
                length += TreeHeaderBytes + ((long)tree.Filled().Count() * BlockBytes);
            }

            return length;
        }
    }

    /// <summary>The range's tree; null where the range never had an entry.</summary>
    public HashTree? Find(TreeRange range) => trees.GetValueOrDefault(range);

    // hot
    public void Apply(in TreeChange change)
    {
        if (!trees.TryGetValue(change.Range, out var tree))
        {
            tree = new HashTree(FirstDepth);
            trees = trees.Add(change.Range, tree);
        }

        tree.Toggle(change.Place, change.Hash);
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

    /// <summary>The same with each tree folded to what <paramref name="depthOf"/> says of it, at most the depth that it has.</summary>
    public HashTrees FoldedTo(Func<HashTree, int> depthOf)
    {
        var folded = new HashTrees { Layout = Layout, BuiltAt = BuiltAt };
        folded.trees = trees.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.FoldedTo(depthOf(pair.Value)));
        return folded;
    }

    public byte[] Encode()
    {
        var held = trees;
        var bytes = new byte[EncodedBytes];
        var writer = new ByteWriter(bytes);
        writer.WriteByte(FormatVersion);
        writer.WriteUInt64(Layout);
        writer.WriteUInt64((ulong)BuiltAt);
        writer.WriteUInt32((uint)Durable(held).Count());
        foreach (var (range, tree) in Durable(held))
        {
            writer.WriteUInt32((uint)range.First.Number);
            writer.WriteByte((byte)range.NVal);
            writer.WriteByte((byte)tree.Depth);
            writer.WriteUInt32((uint)tree.Filled().Count());
            WriteBlocks(ref writer, tree);
        }

        return bytes;
    }

    /// <summary>Reads <see cref="Encode"/>'s bytes back. False, with the reason, for others: the trees have to be built anew then.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out HashTrees? result, out string reason)
    {
        result = null;
        if (bytes.Length > 0 && bytes[0] is not (FormatVersion or VersionWithoutDepth))
        {
            reason = FormattableString.Invariant($"trees of format version {bytes[0]}, and this program knows versions {VersionWithoutDepth} and {FormatVersion}");
            return false;
        }

        reason = "trees that are cut short or malformed";
        var reader = new ByteReader(bytes, 0);
        var hasDepths = reader.ReadByte() == FormatVersion;
        var read = new HashTrees { Layout = reader.ReadUInt64(), BuiltAt = (long)reader.ReadUInt64() };
        var count = reader.ReadUInt32();
        TreeRange? last = null;
        for (var index = 0u; index < count && !reader.Failed; index++)
        {
            var range = new TreeRange(new PartitionId((int)reader.ReadUInt32()), reader.ReadByte());
            var tree = ReadTree(ref reader, hasDepths);
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

    private static IEnumerable<KeyValuePair<TreeRange, HashTree>> Durable(ImmutableSortedDictionary<TreeRange, HashTree> held) => held.Where(pair => !pair.Key.IsVolatile);

    private static HashTree? ReadTree(ref ByteReader reader, bool hasDepth)
    {
        var depth = hasDepth ? reader.ReadByte() : 0;
        if (depth > HashTree.MaxDepth)
        {
            return null;
        }

        var tree = new HashTree(depth);
        var filled = reader.ReadUInt32();
        var last = -1L;
        for (var index = 0u; index < filled; index++)
        {
            var block = hasDepth ? reader.ReadUInt32() : reader.ReadByte();
            var leaves = new uint[HashTree.BlockLeaves];
            for (var leaf = 0; leaf < leaves.Length; leaf++)
            {
                leaves[leaf] = reader.ReadUInt32();
            }

            if (reader.Failed || block <= last || block >= tree.Leaves / HashTree.BlockLeaves)
            {
                return null;
            }

            tree.SetBlock((int)block, leaves);
            last = block;
        }

        return tree;
    }

    private static void WriteBlocks(ref ByteWriter writer, HashTree tree)
    {
        foreach (var (block, leaves) in tree.Filled())
        {
            writer.WriteUInt32((uint)block);
            foreach (var leaf in leaves)
            {
                writer.WriteUInt32(leaf);
            }
        }
    }
}
