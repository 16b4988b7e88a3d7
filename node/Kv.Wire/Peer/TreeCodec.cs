using System.Diagnostics;
using System.Globalization;
using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// Bodies of the messages by which replicas compare their hash trees.
/// <code>
/// tree          partition u32 | first partition of the range u32, 2^30 added where it is volatile | its n_val u8 | layout u64
/// TreeRoot      tree | root u32        TreeBranches  tree        TreeSegments  tree | count u32 | count × branch u8
/// TreeLeaves    tree | depth u8 | count u32 | count × segment u16                           TreeRelease   tree, of layout 0
/// TreeEntries   tree | count u32 | count × segment u16 | after (length u32, bytes)       
/// TreeLeafEntries  tree | depth u8 | count u32 | count × leaf u32 | after (length u32, bytes)
/// TreeHashes    count u32 | count × hash u32
/// TreePage      whole leaves u32 | count u32 | count × (hash u64 | key: length u32, bytes)
/// </code>
/// </summary>
internal static class TreeCodec
{
    private const int VolatileFlag = 1 << 30;

    public static void Write(WireWriter writer, PeerRequest request)
    {
        switch (request)
        {
            case PeerRequest.TreeRoot root:
                WriteTree(writer, root.Partition, root.Range, root.Layout);
                writer.U32(root.Mine);
                break;
            case PeerRequest.TreeBranches branches:
                WriteTree(writer, branches.Partition, branches.Range, branches.Layout);
                break;
            case PeerRequest.TreeSegments segments:
                WriteTree(writer, segments.Partition, segments.Range, segments.Layout);
                writer.I32(segments.Branches.Count);
                foreach (var branch in segments.Branches)
                {
                    writer.U8((byte)branch);
                }

                break;
            case PeerRequest.TreeLeaves leaves:
                WriteTree(writer, leaves.Partition, leaves.Range, leaves.Layout);
                writer.U8((byte)leaves.Depth);
                WriteSegments(writer, leaves.Segments);
                break;
            case PeerRequest.TreeEntries entries:
                WriteTree(writer, entries.Partition, entries.Range, entries.Layout);
                WriteSegments(writer, entries.Segments);
                writer.Bytes(entries.After.Span);
                break;
            case PeerRequest.TreeLeafEntries entries:
                WriteTree(writer, entries.Partition, entries.Range, entries.Layout);
                writer.U8((byte)entries.Depth);
                writer.I32(entries.Leaves.Count);
                foreach (var leaf in entries.Leaves)
                {
                    writer.I32(leaf);
                }

                writer.Bytes(entries.After.Span);
                break;
            case PeerRequest.TreeRelease release:
                WriteTree(writer, release.Partition, release.Range, 0);
                break;
            default:
                throw new UnreachableException();
        }
    }

    public static PeerRequest ReadRequest(ref WireReader reader, PeerRequestCode code)
    {
        var (partition, range, layout) = (PeerFields.ReadPartition(ref reader), ReadRange(ref reader), reader.U64());
        switch (code)
        {
            case PeerRequestCode.TreeRoot:
                return new PeerRequest.TreeRoot(partition, range, layout, reader.U32());
            case PeerRequestCode.TreeBranches:
                return new PeerRequest.TreeBranches(partition, range, layout);
            case PeerRequestCode.TreeSegments:
                var branches = new int[reader.Count(leastBytes: 1, Exchange.BranchesAtOnce)];
                for (var index = 0; index < branches.Length; index++)
                {
                    branches[index] = reader.U8();
                }

                return new PeerRequest.TreeSegments(partition, range, layout, branches);
            case PeerRequestCode.TreeEntries:
                return new PeerRequest.TreeEntries(partition, range, layout, ReadSegments(ref reader, Exchange.SegmentsAtOnce), reader.Bytes());
            case PeerRequestCode.TreeLeaves:
                var depth = ReadDepth(ref reader);
                return new PeerRequest.TreeLeaves(partition, range, layout, depth, ReadSegments(ref reader, Exchange.HashesAtOnce >> depth));
            case PeerRequestCode.TreeLeafEntries:
                var leafDepth = ReadDepth(ref reader);
                return new PeerRequest.TreeLeafEntries(partition, range, layout, leafDepth, ReadLeaves(ref reader, leafDepth), reader.Bytes());
            case PeerRequestCode.TreeRelease:
                return new PeerRequest.TreeRelease(partition, range);
            default:
                throw new UnreachableException();
        }
    }

    public static void Write(WireWriter writer, PeerReply reply)
    {
        switch (reply)
        {
            case PeerReply.TreeHashes hashes:
                writer.I32(hashes.Hashes.Count);
                foreach (var hash in hashes.Hashes)
                {
                    writer.U32(hash);
                }

                break;
            case PeerReply.TreePage page:
                writer.I32(page.Whole);
                writer.I32(page.Entries.Count);
                foreach (var (key, hash) in page.Entries)
                {
                    writer.U64(hash);
                    writer.Bytes(key.Span);
                }

                break;
            default:
                throw new UnreachableException();
        }
    }

    public static PeerReply ReadReply(ref WireReader reader, PeerReplyCode code)
    {
        if (code == PeerReplyCode.TreeHashes)
        {
            var hashes = new uint[reader.Count(leastBytes: 4, Exchange.HashesAtOnce)];
            for (var index = 0; index < hashes.Length; index++)
            {
                hashes[index] = reader.U32();
            }

            return new PeerReply.TreeHashes(hashes);
        }

        var whole = reader.I32();
        var entries = new TreeEntry[reader.Count(leastBytes: 12)];
        for (var index = 0; index < entries.Length && !reader.Failed; index++)
        {
            var hash = reader.U64();
            entries[index] = new TreeEntry(reader.Bytes(), hash);
        }

        if (whole is < 0 or > Exchange.LeavesAtOnce || (whole == 0 && entries.Length == 0))
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"a page that ends {whole} leaves with {entries.Length} entries"));
        }

        return new PeerReply.TreePage(entries, whole);
    }

    private static void WriteSegments(WireWriter writer, IReadOnlyList<int> segments)
    {
        writer.I32(segments.Count);
        foreach (var segment in segments)
        {
            writer.U16((ushort)segment);
        }
    }

    private static int[] ReadSegments(ref WireReader reader, int most)
    {
        var segments = new int[reader.Count(leastBytes: 2, most)];
        for (var index = 0; index < segments.Length; index++)
        {
            segments[index] = reader.U16();
        }

        return segments;
    }

    private static int ReadDepth(ref WireReader reader)
    {
        var depth = reader.U8();
        if (depth is 0 or > HashTree.MaxDepth)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"leaves of depth {depth}"));
        }

        return reader.Failed ? 1 : depth;
    }

    private static int[] ReadLeaves(ref WireReader reader, int depth)
    {
        var leaves = new int[reader.Count(leastBytes: 4, Exchange.LeavesAtOnce)];
        for (var index = 0; index < leaves.Length; index++)
        {
            leaves[index] = reader.I32();
            if ((uint)leaves[index] >= (uint)HashTree.Segments << depth)
            {
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"leaf {leaves[index]} of a tree of depth {depth}"));
            }
        }

        return leaves;
    }

    private static void WriteTree(WireWriter writer, PartitionId partition, TreeRange range, ulong layout)
    {
        writer.I32(partition.Number);
        writer.I32(range.First.Number | (range.IsVolatile ? VolatileFlag : 0));
        writer.U8((byte)range.NVal);
        writer.U64(layout);
    }

    private static TreeRange ReadRange(ref WireReader reader)
    {
        var word = reader.I32();
        var (first, nVal) = (PeerFields.CheckPartition(ref reader, word & ~VolatileFlag), reader.U8());
        if (nVal == 0)
        {
            reader.Fail("a range of no replicas");
        }

        return new TreeRange(first, nVal, (word & VolatileFlag) != 0);
    }
}
