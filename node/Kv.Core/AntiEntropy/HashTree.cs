using System.Numerics;
using System.Runtime.InteropServices;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// A set of entries, summed up so that two replicas find where they differ by a few small messages. Each key falls in one of <see cref="Segments"/>, and there in one of
/// 2^<see cref="Depth"/> leaves, so that a tree may be as fine as its keys are many. A leaf's hash is the XOR of its entries' hashes, a segment's that of its leaves, a branch's that of its
/// segments, the root's that of all. XOR makes a change cost one operation on one word, in any order, and its own undoing; what is above the leaves is summed up when it is asked for, and a tree
/// shows itself as any of less depth. 256 neighbouring leaves without entries take no memory. One writer; readers beside it see each leaf before or after a change. (Riak: leveled_tictac.)
/// </summary>
public sealed class HashTree
{
    /// <summary>Of hashes, and of how they place a key: trees of two versions cannot be compared. Trees of two depths can.</summary>
    public const int Version = 1;

    public const int Branches = 256;
    public const int SegmentsPerBranch = 256;

    /// <summary>65,536: what stores know their keys by, and the leaves of a tree of depth 0.</summary>
    public const int Segments = Branches * SegmentsPerBranch;

    /// <summary>16 Mi leaves, 64 MiB where all have entries.</summary>
    public const int MaxDepth = 8;

    /// <summary>Leaves that take memory together.</summary>
    internal const int BlockLeaves = 256;

    private readonly uint[]?[] blocks;

    public HashTree(int depth = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)depth, (uint)MaxDepth);
        Depth = depth;
        blocks = new uint[]?[Leaves / BlockLeaves];
    }

    public int Depth { get; }

    public int Leaves => Segments << Depth;

    public uint Root
    {
        get
        {
            var root = 0u;
            for (var branch = 0; branch < Branches; branch++)
            {
                root ^= BranchHash(branch);
            }

            return root;
        }
    }

    public static int SegmentOf(ulong keyHash) => (int)(keyHash & (Segments - 1));

    /// <summary>A key's leaf in a tree of <see cref="MaxDepth"/>: its segment and the next bits of its hash. Its leaf in any other is <see cref="LeafAt"/>.</summary>
    public static int PlaceOf(ulong keyHash) => (SegmentOf(keyHash) << MaxDepth) | (int)((keyHash >> 16) & ((1 << MaxDepth) - 1));

    /// <summary>The leaf of a place in a tree of that depth; in one of depth 0, its segment.</summary>
    public static int LeafAt(int place, int depth) => place >> (MaxDepth - depth);

    /// <summary>Of an entry's hash what a leaf keeps.</summary>
    public static uint LeafHash(ulong entryHash) => (uint)(entryHash >> 32) ^ (uint)entryHash;

    /// <summary>Puts a hash into the leaf of a place, or takes it out.</summary>
    // hot
    public void Toggle(int place, uint hash)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)place, (uint)Segments << MaxDepth);
        ToggleLeaf(LeafAt(place, Depth), hash);
    }

    public uint BranchHash(int branch)
    {
        var hash = 0u;
        for (var block = branch << Depth; block < (branch + 1) << Depth; block++)
        {
            hash ^= Volatile.Read(ref blocks[block]) is { } leaves ? Sum(leaves) : 0;
        }

        return hash;
    }

    /// <summary>The hashes of all branches, in order.</summary>
    public uint[] BranchHashes()
    {
        var hashes = new uint[Branches];
        for (var branch = 0; branch < Branches; branch++)
        {
            hashes[branch] = BranchHash(branch);
        }

        return hashes;
    }

    /// <summary>The hashes of a branch's segments, in order.</summary>
    public uint[] SegmentHashes(int branch) => HashesOf(branch * SegmentsPerBranch, SegmentsPerBranch, 0);

    /// <summary>The hashes of a segment's leaves, in order, as a tree of <paramref name="depth"/> has them, which is at most this one's.</summary>
    public uint[] LeafHashes(int segment, int depth) => HashesOf(segment << depth, 1 << depth, depth);

    /// <summary>The hash of a leaf of a tree of <paramref name="depth"/>, which is at most this one's.</summary>
    public uint HashOf(int leaf, int depth)
    {
        var finer = Depth - depth;
        var first = leaf << finer;
        return Volatile.Read(ref blocks[first / BlockLeaves]) is { } leaves ? Sum(leaves.AsSpan(first % BlockLeaves, 1 << finer)) : 0;
    }

    /// <summary>The same entries in a tree of less depth; itself where it has that depth.</summary>
    public HashTree FoldedTo(int depth)
    {
        if (depth == Depth)
        {
            return this;
        }

        var folded = new HashTree(depth);
        for (var block = 0; block < blocks.Length; block++)
        {
            for (var leaf = 0; blocks[block] is { } leaves && leaf < BlockLeaves; leaf++)
            {
                if (leaves[leaf] != 0)
                {
                    folded.ToggleLeaf(((block * BlockLeaves) + leaf) >> (Depth - depth), leaves[leaf]);
                }
            }
        }

        return folded;
    }

    /// <summary>
    /// About how many entries there are, told from how many leaves of <paramref name="blocks"/> blocks have none (linear counting): hashes spread keys evenly. Beyond eight a leaf it says too little.
    /// </summary>
    public long EstimateKeys(int blocks = int.MaxValue)
    {
        var (empty, seen) = (0, 0);
        for (var at = 0; at < this.blocks.Length; at += Math.Max(1, this.blocks.Length / blocks))
        {
            empty += this.blocks[at] is { } leaves ? leaves.AsSpan().Count(0u) : BlockLeaves;
            seen += BlockLeaves;
        }

        return (long)Math.Round(Leaves * -Math.Log(Math.Max(empty, 0.5) / seen));
    }

    /// <summary>For durable forms: the blocks that have entries, in order.</summary>
    internal IEnumerable<(int Block, uint[] Leaves)> Filled()
    {
        for (var block = 0; block < blocks.Length; block++)
        {
            if (blocks[block] is { } leaves && leaves.AsSpan().ContainsAnyExcept(0u))
            {
                yield return (block, leaves);
            }
        }
    }

    internal void SetBlock(int block, uint[] leaves) => blocks[block] = leaves;

    /// <summary>The positions at which two levels of hashes differ.</summary>
    public static List<int> Differing(ReadOnlySpan<uint> mine, ReadOnlySpan<uint> theirs)
    {
        var differing = new List<int>();
        for (var at = 0; at < mine.Length; at++)
        {
            if (mine[at] != theirs[at])
            {
                differing.Add(at);
            }
        }

        return differing;
    }

    /// <summary>The leaves in which two trees differ, as the one of less depth has them; found from the branches down as an exchange finds them.</summary>
    public static List<int> Differing(HashTree mine, HashTree theirs)
    {
        var depth = Math.Min(mine.Depth, theirs.Depth);
        var differing = new List<int>();
        foreach (var branch in Differing(mine.BranchHashes(), theirs.BranchHashes()))
        {
            var (first, count) = (branch * SegmentsPerBranch << depth, SegmentsPerBranch << depth);
            differing.AddRange(Differing(mine.HashesOf(first, count, depth), theirs.HashesOf(first, count, depth)).Select(leaf => first + leaf));
        }

        return differing;
    }

    private uint[] HashesOf(int first, int count, int depth)
    {
        var hashes = new uint[count];
        for (var at = 0; at < count; at++)
        {
            hashes[at] = HashOf(first + at, depth);
        }

        return hashes;
    }

    private void ToggleLeaf(int leaf, uint hash)
    {
        var leaves = Volatile.Read(ref blocks[leaf / BlockLeaves]);
        if (leaves is null)
        {
            leaves = new uint[BlockLeaves];
            Volatile.Write(ref blocks[leaf / BlockLeaves], leaves);
        }

        leaves[leaf % BlockLeaves] ^= hash;
    }

    private static uint Sum(ReadOnlySpan<uint> hashes)
    {
        var lanes = MemoryMarshal.Cast<uint, Vector<uint>>(hashes);
        var sum = Vector<uint>.Zero;
        foreach (var lane in lanes)
        {
            sum ^= lane;
        }

        var hash = 0u;
        for (var lane = 0; lane < Vector<uint>.Count; lane++)
        {
            hash ^= sum[lane];
        }

        foreach (var rest in hashes[(lanes.Length * Vector<uint>.Count)..])
        {
            hash ^= rest;
        }

        return hash;
    }
}
