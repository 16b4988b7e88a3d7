using System.Numerics;
using System.Runtime.InteropServices;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// A set of entries, summed up so that two replicas find where they differ by a few small messages: each key falls in one of <see cref="Segments"/>, a
/// segment's hash is the XOR of its entries' hashes, a branch's that of its segments', the root's that of all. XOR makes a change cost one operation on one
/// word, in any order, and its own undoing; what is above the segments is summed up when it is asked for. Branches without entries take no memory. One writer;
/// readers beside it see each segment before or after a change. (Riak: leveled_tictac.)
/// </summary>
public sealed class HashTree
{
    /// <summary>Of hashes and shape together: trees of two versions cannot be compared.</summary>
    public const int Version = 1;

    public const int Branches = 256;
    public const int SegmentsPerBranch = 256;

    /// <summary>65,536: of 1,000,000 keys in a vnode of three ranges, five to a segment.</summary>
    public const int Segments = Branches * SegmentsPerBranch;

    private readonly uint[]?[] branches = new uint[]?[Branches];

    public static int SegmentOf(ulong keyHash) => (int)(keyHash & (Segments - 1));

    public static int BranchOf(int segment) => segment / SegmentsPerBranch;

    /// <summary>Of an entry's hash what a segment keeps.</summary>
    public static uint LeafHash(ulong entryHash) => (uint)(entryHash >> 32) ^ (uint)entryHash;

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

    /// <summary>Puts a hash into a segment, or takes it out.</summary>
    // hot
    public void Toggle(int segment, uint hash)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)segment, (uint)Segments);
        var leaves = Volatile.Read(ref branches[BranchOf(segment)]);
        if (leaves is null)
        {
            leaves = new uint[SegmentsPerBranch];
            Volatile.Write(ref branches[BranchOf(segment)], leaves);
        }

        leaves[segment % SegmentsPerBranch] ^= hash;
    }

    public uint BranchHash(int branch)
    {
        if (Volatile.Read(ref branches[branch]) is not { } leaves)
        {
            return 0;
        }

        var sum = Vector<uint>.Zero;
        foreach (var lanes in MemoryMarshal.Cast<uint, Vector<uint>>(leaves))
        {
            sum ^= lanes;
        }

        var hash = 0u;
        for (var lane = 0; lane < Vector<uint>.Count; lane++)
        {
            hash ^= sum[lane];
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
    public uint[] SegmentHashes(int branch) =>
        Volatile.Read(ref branches[branch]) is { } leaves ? (uint[])leaves.Clone() : new uint[SegmentsPerBranch];

    public uint SegmentHash(int segment) => Volatile.Read(ref branches[BranchOf(segment)]) is { } leaves ? leaves[segment % SegmentsPerBranch] : 0;

    /// <summary>For durable forms: a branch's segments, or nothing where all are 0.</summary>
    internal ReadOnlySpan<uint> LeavesOf(int branch) => branches[branch] is { } leaves && leaves.AsSpan().ContainsAnyExcept(0u) ? leaves : [];

    internal void SetLeaves(int branch, uint[] leaves) => branches[branch] = leaves;

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

    /// <summary>The segments in which two trees differ, found from the branches down as an exchange finds them.</summary>
    public static List<int> Differing(HashTree mine, HashTree theirs)
    {
        var segments = new List<int>();
        foreach (var branch in Differing(mine.BranchHashes(), theirs.BranchHashes()))
        {
            segments.AddRange(Differing(mine.SegmentHashes(branch), theirs.SegmentHashes(branch)).Select(leaf => (branch * SegmentsPerBranch) + leaf));
        }

        return segments;
    }
}
