using System.Diagnostics;
using System.Globalization;
using Kv.Cluster.Peers;
using Kv.Core.AntiEntropy;
using Kv.Core.Rings;

namespace Kv.Wire.Peer;

/// <summary>
/// Bodies of the messages by which replicas compare their hash trees.
/// <code>
/// tree          partition u32 | first partition of the range u32 | its n_val u8 | layout u64
/// TreeRoot      tree | root u32        TreeBranches  tree        TreeSegments  tree | count u32 | count × branch u8
/// TreeEntries   tree | count u32 | count × segment u16 | after (length u32, bytes)        TreeRelease   tree, of layout 0
/// TreeHashes    count u32 | count × hash u32
/// TreePage      whole segments u32 | count u32 | count × (hash u64 | key: length u32, bytes)
/// </code>
/// </summary>
internal static class TreeCodec
{
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
            case PeerRequest.TreeEntries entries:
                WriteTree(writer, entries.Partition, entries.Range, entries.Layout);
                writer.I32(entries.Segments.Count);
                foreach (var segment in entries.Segments)
                {
                    writer.U16((ushort)segment);
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
                var segments = new int[reader.Count(leastBytes: 2, Exchange.SegmentsAtOnce)];
                for (var index = 0; index < segments.Length; index++)
                {
                    segments[index] = reader.U16();
                }

                return new PeerRequest.TreeEntries(partition, range, layout, segments, reader.Bytes());
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
            var hashes = new uint[reader.Count(leastBytes: 4, Exchange.BranchesAtOnce * HashTree.SegmentsPerBranch)];
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

        if (whole is < 0 or > Exchange.SegmentsAtOnce || (whole == 0 && entries.Length == 0))
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"a page that ends {whole} segments with {entries.Length} entries"));
        }

        return new PeerReply.TreePage(entries, whole);
    }

    private static void WriteTree(WireWriter writer, PartitionId partition, TreeRange range, ulong layout)
    {
        writer.I32(partition.Number);
        writer.I32(range.First.Number);
        writer.U8((byte)range.NVal);
        writer.U64(layout);
    }

    private static TreeRange ReadRange(ref WireReader reader)
    {
        var (first, nVal) = (PeerFields.ReadPartition(ref reader), reader.U8());
        if (nVal == 0)
        {
            reader.Fail("a range of no replicas");
        }

        return new TreeRange(first, nVal);
    }
}
