using System.Diagnostics;
using System.Globalization;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Wire.Peer;

/// <summary>Bodies of replies; the layouts are <see cref="PeerCodec"/>'s.</summary>
internal static class PeerReplyCodec
{
    private const byte ChangedCode = 0;
    private const byte UnchangedCode = 1;
    private const byte RefusedCode = 2;

    public static void Write(WireWriter writer, PeerReply reply)
    {
        switch (reply)
        {
            case PeerReply.Refused refused:
                writer.Text(refused.Reason);
                break;
            case PeerReply.Object found:
                writer.Flag(found.Stored is not null);
                if (found.Stored is { } stored)
                {
                    writer.Bytes(stored.Span);
                }

                break;
            case PeerReply.Forwarded forwarded:
                KvOutcomeCodec.Write(writer, forwarded.Outcome);
                break;
            case PeerReply.ListPage page:
                WritePage(writer, page);
                break;
            case PeerReply.ScanPage page:
                WriteScan(writer, page);
                break;
            case PeerReply.Document document:
                WriteOptional(writer, document.Held);
                break;
            case PeerReply.Promised promised:
                PeerFields.WriteBallot(writer, promised.AcceptedBallot);
                WriteOptional(writer, promised.AcceptedDocument);
                break;
            case PeerReply.Rejected rejected:
                PeerFields.WriteBallot(writer, rejected.Highest);
                break;
            case PeerReply.Proposed proposed:
                WriteResult(writer, proposed.Result);
                break;
            case PeerReply.Holdings holdings:
                writer.I64(holdings.FreeBytes);
                writer.U32((uint)holdings.Partitions.Length);
                foreach (var held in holdings.Partitions)
                {
                    writer.I32(held.Partition.Number);
                    writer.I64(held.Objects);
                    writer.I64(held.Bytes);
                }

                break;
            case PeerReply.Volume volume:
                writer.I64(volume.Space.FreeBytes);
                writer.I64(volume.Space.UsedBytes);
                writer.I64(volume.Space.ReservedBytes);
                break;
            case PeerReply.Rebuilding under:
                writer.Text(under.Problem);
                break;
            case PeerReply.Up up:
                writer.I32(up.Nodes.Length);
                foreach (var node in up.Nodes)
                {
                    writer.U64(node.Value);
                }

                break;
            case PeerReply.Time clock:
                writer.I64(clock.Microseconds);
                break;
            case PeerReply.Identity identity:
                PeerFields.WriteMember(writer, identity.Node);
                writer.Flag(identity.ClusterId is not null);
                if (identity.ClusterId is { } cluster)
                {
                    writer.Id(cluster);
                }

                break;
            case PeerReply.DoneEach each:
                PeerFields.WriteFlags(writer, each.Keys);
                break;
            case PeerReply.TreeHashes or PeerReply.TreePage:
                TreeCodec.Write(writer, reply);
                break;
            case PeerReply.Unreachable or PeerReply.TimedOut or PeerReply.Overloaded or PeerReply.WrongOwner or PeerReply.Done or PeerReply.Accepted
                or PeerReply.StaleFence:
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>What it returns counts only if the reader has not failed at the end.</summary>
    public static PeerReply? Read(ref WireReader reader, PeerReplyCode code, long version, Fence fence)
    {
        switch (code)
        {
            case PeerReplyCode.Unreachable:
                return new PeerReply.Unreachable { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.TimedOut:
                return new PeerReply.TimedOut { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Overloaded:
                return new PeerReply.Overloaded { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.WrongOwner:
                return new PeerReply.WrongOwner { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Refused:
                return new PeerReply.Refused(reader.Text()) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Done:
                return new PeerReply.Done { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Object:
                // A plain null would become an empty memory here, not an absent one.
                return new PeerReply.Object(reader.Flag() ? reader.Bytes() : (ReadOnlyMemory<byte>?)null) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Forwarded:
                return KvOutcomeCodec.Read(ref reader) is { } outcome ? new PeerReply.Forwarded(outcome) { DocumentVersion = version, Fence = fence } : null;
            case PeerReplyCode.ListPage:
                return ReadPage(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.ScanPage:
                return ReadScan(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Document:
                return new PeerReply.Document(ReadOptional(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Promised:
                return new PeerReply.Promised(PeerFields.ReadBallot(ref reader), ReadOptional(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Accepted:
                return new PeerReply.Accepted { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Rejected:
                return new PeerReply.Rejected(PeerFields.ReadBallot(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Proposed:
                return ReadResult(ref reader) is { } result ? new PeerReply.Proposed(result) { DocumentVersion = version, Fence = fence } : null;
            case PeerReplyCode.Holdings:
                return ReadHoldings(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Rebuilding:
                return new PeerReply.Rebuilding(reader.Text()) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Up:
                return ReadUp(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Volume:
                return new PeerReply.Volume(new VolumeSpace(reader.I64(), reader.I64(), reader.I64())) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Time:
                return new PeerReply.Time(reader.I64()) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.TreeHashes or PeerReplyCode.TreePage:
                return TreeCodec.ReadReply(ref reader, code) with { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.Identity:
                var member = PeerFields.ReadMember(ref reader);
                return new PeerReply.Identity(member, reader.Flag() ? reader.Id() : null) { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.StaleFence:
                return new PeerReply.StaleFence { DocumentVersion = version, Fence = fence };
            case PeerReplyCode.DoneEach:
                return new PeerReply.DoneEach(PeerFields.ReadFlags(ref reader)) { DocumentVersion = version, Fence = fence };
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown reply code {(int)code}"));
                return null;
        }
    }

    private static void WritePage(WireWriter writer, PeerReply.ListPage page)
    {
        writer.Flag(page.NextCursor is not null);
        if (page.NextCursor is { } cursor)
        {
            writer.I64(cursor);
        }

        writer.I32(page.Names.Count);
        foreach (var name in page.Names)
        {
            writer.Bytes(name.Span);
        }
    }

    private static PeerReply.ListPage ReadPage(ref WireReader reader)
    {
        long? cursor = reader.Flag() ? reader.I64() : null;
        var names = new ReadOnlyMemory<byte>[reader.Count(leastBytes: 4)];
        for (var i = 0; i < names.Length && !reader.Failed; i++)
        {
            names[i] = reader.Bytes();
        }

        return new PeerReply.ListPage(names, cursor);
    }

    private static void WriteScan(WireWriter writer, PeerReply.ScanPage page)
    {
        writer.Flag(page.Next is not null);
        if (page.Next is { } next)
        {
            writer.Bytes(next.Span);
        }

        writer.I32(page.Entries.Count);
        foreach (var entry in page.Entries)
        {
            writer.Bytes(entry.Span);
        }
    }

    private static PeerReply.ScanPage ReadScan(ref WireReader reader)
    {
        var next = reader.Flag() ? reader.Bytes() : default(ReadOnlyMemory<byte>?);
        var entries = new ReadOnlyMemory<byte>[reader.Count(leastBytes: 4)];
        for (var i = 0; i < entries.Length && !reader.Failed; i++)
        {
            entries[i] = reader.Bytes();
        }

        return new PeerReply.ScanPage(entries, next);
    }

    private static void WriteOptional(WireWriter writer, ClusterDocument? document)
    {
        writer.Flag(document is not null);
        if (document is not null)
        {
            PeerCodec.WriteDocument(writer, document);
        }
    }

    private static ClusterDocument? ReadOptional(ref WireReader reader) => reader.Flag() ? PeerCodec.ReadDocument(ref reader) : null;

    private static void WriteResult(WireWriter writer, DocumentChangeResult result)
    {
        switch (result)
        {
            case DocumentChangeResult.Changed changed:
                writer.U8(ChangedCode);
                PeerCodec.WriteDocument(writer, changed.Document);
                break;
            case DocumentChangeResult.Unchanged:
                writer.U8(UnchangedCode);
                break;
            case DocumentChangeResult.Refused refused:
                writer.U8(RefusedCode);
                writer.Text(refused.Reason);
                writer.Text(refused.Message);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static DocumentChangeResult? ReadResult(ref WireReader reader)
    {
        var code = reader.U8();
        switch (code)
        {
            case ChangedCode:
                return PeerCodec.ReadDocument(ref reader) is { } document ? new DocumentChangeResult.Changed(document) : null;
            case UnchangedCode:
                return new DocumentChangeResult.Unchanged();
            case RefusedCode:
                return new DocumentChangeResult.Refused(reader.Text(), reader.Text());
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown result {code}"));
                return null;
        }
    }

    private static PeerReply.Holdings ReadHoldings(ref WireReader reader)
    {
        const int HoldingBytes = 20;
        var free = reader.I64();
        var held = new PartitionHolding[reader.Count(HoldingBytes, Ring.MaxSize)];
        for (var i = 0; i < held.Length; i++)
        {
            held[i] = new PartitionHolding(new PartitionId(reader.I32()), reader.I64(), reader.I64());
        }

        return new PeerReply.Holdings(free, [.. held]);
    }

    private static PeerReply.Up ReadUp(ref WireReader reader)
    {
        var nodes = new NodeId[reader.Count(sizeof(ulong), ClusterDocument.MaxMembers)];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = new NodeId(reader.U64());
        }

        return new PeerReply.Up([.. nodes]);
    }
}
