using System.Diagnostics;
using System.Globalization;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Stores;

namespace Kv.Wire.Peer;

/// <summary>Bodies of requests; the layouts are <see cref="PeerCodec"/>'s.</summary>
internal static class PeerRequestCodec
{
    public static void Write(WireWriter writer, PeerRequest request)
    {
        switch (request)
        {
            case PeerRequest.VnodeGet get:
                writer.I32(get.Partition.Number);
                writer.Flag(get.HeadOnly);
                PeerFields.WriteKey(writer, get.Key);
                break;
            case PeerRequest.VnodePut put:
                writer.I32(put.Partition.Number);
                writer.U8((byte)put.Kind);
                writer.U8((byte)put.Durability);
                PeerFields.WriteKey(writer, put.Key);
                writer.Bytes(put.Object.Span);
                break;
            case PeerRequest.Forward forward:
                KvRequestCodec.Write(writer, forward.Request);
                break;
            case PeerRequest.VnodeList list:
                WriteList(writer, list);
                break;
            case PeerRequest.VnodeScan scan:
                WriteScan(writer, scan);
                break;
            case PeerRequest.HandoffBatch batch:
                WriteBatch(writer, batch);
                break;
            case PeerRequest.LearnDocument learn:
                PeerCodec.WriteDocument(writer, learn.Document);
                break;
            case PeerRequest.Prepare prepare:
                writer.Id(prepare.ClusterId);
                writer.I64(prepare.Version);
                PeerFields.WriteBallot(writer, prepare.Ballot);
                break;
            case PeerRequest.Accept accept:
                writer.Id(accept.ClusterId);
                writer.I64(accept.Version);
                PeerFields.WriteBallot(writer, accept.Ballot);
                PeerCodec.WriteDocument(writer, accept.Document);
                break;
            case PeerRequest.Propose propose:
                writer.Bytes(DocumentChangeCodec.Encode(propose.Change));
                break;
            case PeerRequest.Inspect inspect:
                writer.U64(inspect.Attempt);
                WriteReaped(writer, inspect.Keys);
                break;
            case PeerRequest.Seal seal:
                writer.U64(seal.Attempt);
                PeerFields.WriteFlags(writer, seal.Keys);
                break;
            case PeerRequest.Reap reap:
                WriteReaped(writer, reap.Keys);
                break;
            case PeerRequest.Rebuild ask:
                writer.I32(ask.Partition.Number);
                writer.I64(ask.PlannedAt);
                writer.U64(ask.Attempt);
                writer.U8((byte)ask.Step);
                break;
            case PeerRequest.TreeRoot or PeerRequest.TreeBranches or PeerRequest.TreeSegments or PeerRequest.TreeEntries or PeerRequest.TreeLeaves or PeerRequest.TreeLeafEntries or PeerRequest.TreeRelease:
                TreeCodec.Write(writer, request);
                break;
            case PeerRequest.Heartbeat or PeerRequest.GetDocument or PeerRequest.Identify or PeerRequest.GetHoldings or PeerRequest.GetUp or PeerRequest.KnowsSecurity
                or PeerRequest.KnowsOrdered or PeerRequest.KnowsMemory or PeerRequest.KnowsExpiry or PeerRequest.GetTime or PeerRequest.GetVolume or PeerRequest.KnowsHooks:
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>What it returns counts only if the reader has not failed at the end.</summary>
    public static PeerRequest? Read(ref WireReader reader, PeerRequestCode code, long version, Fence fence)
    {
        switch (code)
        {
            case PeerRequestCode.VnodeGet:
                var (getPartition, headOnly) = (PeerFields.ReadPartition(ref reader), reader.Flag());
                return new PeerRequest.VnodeGet(getPartition, PeerFields.ReadKey(ref reader), headOnly) { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.VnodePut:
                return ReadPut(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Forward:
                return KvRequestCodec.Read(ref reader) is { } forwarded ? new PeerRequest.Forward(forwarded) { DocumentVersion = version, Fence = fence } : null;
            case PeerRequestCode.VnodeList:
                return ReadList(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.VnodeScan:
                return ReadScan(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.HandoffBatch:
                return ReadBatch(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Heartbeat:
                return new PeerRequest.Heartbeat { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.GetDocument:
                return new PeerRequest.GetDocument { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.LearnDocument:
                return PeerCodec.ReadDocument(ref reader) is { } learned ? new PeerRequest.LearnDocument(learned) { DocumentVersion = version, Fence = fence } : null;
            case PeerRequestCode.Prepare:
                return new PeerRequest.Prepare(reader.Id(), reader.I64(), PeerFields.ReadBallot(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Accept:
                var (cluster, decides, ballot) = (reader.Id(), reader.I64(), PeerFields.ReadBallot(ref reader));
                return PeerCodec.ReadDocument(ref reader) is { } accepted
                    ? new PeerRequest.Accept(cluster, decides, ballot, accepted) { DocumentVersion = version, Fence = fence }
                    : null;
            case PeerRequestCode.Propose:
                return ReadPropose(ref reader, version, fence);
            case PeerRequestCode.Identify:
                return new PeerRequest.Identify { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.GetHoldings:
                return new PeerRequest.GetHoldings { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Rebuild:
                return ReadRebuild(ref reader) with { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.GetUp:
                return new PeerRequest.GetUp { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.KnowsSecurity:
                return new PeerRequest.KnowsSecurity { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.KnowsOrdered:
                return new PeerRequest.KnowsOrdered { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.KnowsMemory:
                return new PeerRequest.KnowsMemory { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.KnowsExpiry:
                return new PeerRequest.KnowsExpiry { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.KnowsHooks:
                return new PeerRequest.KnowsHooks { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.GetTime:
                return new PeerRequest.GetTime { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.GetVolume:
                return new PeerRequest.GetVolume { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Inspect:
                return new PeerRequest.Inspect(reader.U64(), ReadReaped(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Seal:
                return new PeerRequest.Seal(reader.U64(), PeerFields.ReadFlags(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.Reap:
                return new PeerRequest.Reap(ReadReaped(ref reader)) { DocumentVersion = version, Fence = fence };
            case PeerRequestCode.TreeRoot or PeerRequestCode.TreeBranches or PeerRequestCode.TreeSegments or PeerRequestCode.TreeEntries or PeerRequestCode.TreeRelease
                or PeerRequestCode.TreeLeaves or PeerRequestCode.TreeLeafEntries:
                return TreeCodec.ReadRequest(ref reader, code) with { DocumentVersion = version, Fence = fence };
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown request code {(int)code}"));
                return null;
        }
    }

    private static PeerRequest.VnodePut ReadPut(ref WireReader reader)
    {
        var (partition, kind, durability) = (PeerFields.ReadPartition(ref reader), reader.U8(), reader.U8());
        if (kind > (byte)VnodePutKind.Handoff || durability > (byte)Durability.Memory)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown put kind {kind} or durability {durability}"));
        }

        var key = PeerFields.ReadKey(ref reader);
        return new PeerRequest.VnodePut(partition, key, reader.Bytes(), (VnodePutKind)kind, (Durability)durability);
    }

    private static void WriteList(WireWriter writer, PeerRequest.VnodeList list)
    {
        writer.I32(list.Partition.Number);
        writer.Text(list.BucketType);
        writer.Flag(list.Bucket is not null);
        if (list.Bucket is { } bucket)
        {
            writer.Bytes(bucket.Span);
        }

        writer.I64(list.Cursor);
        writer.I32(list.Limit);
    }

    private static PeerRequest.VnodeList ReadList(ref WireReader reader)
    {
        var (partition, type) = (PeerFields.ReadPartition(ref reader), PeerFields.ReadType(ref reader));
        // A plain null would become an empty memory here, not an absent one.
        ReadOnlyMemory<byte>? bucket = reader.Flag() ? reader.Bytes(ObjectKey.MaxBucketBytes) : (ReadOnlyMemory<byte>?)null;
        var (cursor, limit) = (reader.I64(), reader.I32());
        if (limit < 0)
        {
            reader.Fail("a negative limit");
        }

        return new PeerRequest.VnodeList(partition, type, bucket, cursor, limit);
    }

    private static void WriteScan(WireWriter writer, PeerRequest.VnodeScan scan)
    {
        writer.I32(scan.Partition.Number);
        writer.U8((byte)scan.Space);
        writer.Bytes(scan.From.Span);
        writer.Bytes(scan.Until.Span);
        writer.I32(scan.Limit);
        writer.Flag(scan.TermRegex is not null);
        if (scan.TermRegex is { } pattern)
        {
            writer.Text(pattern);
        }

        writer.I32(scan.TermAt);
    }

    private static PeerRequest.VnodeScan ReadScan(ref WireReader reader)
    {
        var (partition, space) = (PeerFields.ReadPartition(ref reader), (ScanSpace)reader.U8());
        var (from, until, limit) = (reader.Bytes(), reader.Bytes(), reader.I32());
        var pattern = reader.Flag() ? reader.Text() : null;
        var termAt = reader.I32();
        if (!Enum.IsDefined(space) || limit < 0 || termAt < 0)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"a scan of space {(int)space} with limit {limit} and terms at {termAt}"));
        }

        return new PeerRequest.VnodeScan(partition, space, from, until, limit, pattern, termAt);
    }

    private static void WriteBatch(WireWriter writer, PeerRequest.HandoffBatch batch)
    {
        writer.I32(batch.Partition.Number);
        writer.I32(batch.Entries.Count);
        foreach (var entry in batch.Entries)
        {
            writer.Bytes(entry.Key.Span);
            writer.Bytes(entry.Value.Span);
        }
    }

    private static PeerRequest.HandoffBatch ReadBatch(ref WireReader reader)
    {
        var partition = PeerFields.ReadPartition(ref reader);
        var entries = new StoredEntry[reader.Count(leastBytes: 8)];
        for (var i = 0; i < entries.Length && !reader.Failed; i++)
        {
            entries[i] = new StoredEntry(reader.Bytes(), reader.Bytes());
        }

        return new PeerRequest.HandoffBatch(partition, entries);
    }

    private static PeerRequest.Rebuild ReadRebuild(ref WireReader reader)
    {
        var (partition, plannedAt, attempt, step) = (PeerFields.ReadPartition(ref reader), reader.I64(), reader.U64(), (RebuildStep)reader.U8());
        if (!Enum.IsDefined(step))
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown step {(int)step} of a rebuild"));
        }

        return new PeerRequest.Rebuild(partition, plannedAt, attempt, step);
    }

    private static void WriteReaped(WireWriter writer, IReadOnlyList<ReapedKey> keys)
    {
        writer.I32(keys.Count);
        foreach (var reaped in keys)
        {
            writer.U64(reaped.ClockHash);
            PeerFields.WriteKey(writer, reaped.Key);
        }
    }

    private static ReapedKey[] ReadReaped(ref WireReader reader)
    {
        var keys = new ReapedKey[reader.Count(leastBytes: 20)];
        for (var i = 0; i < keys.Length && !reader.Failed; i++)
        {
            var hash = reader.U64();
            keys[i] = new ReapedKey(PeerFields.ReadKey(ref reader), hash);
        }

        return keys;
    }

    private static PeerRequest.Propose? ReadPropose(ref WireReader reader, long version, Fence fence)
    {
        var bytes = reader.Bytes();
        if (reader.Failed)
        {
            return null;
        }

        if (DocumentChangeCodec.TryDecode(bytes, out var change, out var reason))
        {
            return new PeerRequest.Propose(change) { DocumentVersion = version, Fence = fence };
        }

        reader.Fail("no document change: " + reason);
        return null;
    }
}
