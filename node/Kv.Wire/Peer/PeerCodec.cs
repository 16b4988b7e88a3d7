using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kv.Cluster.Peers;
using Kv.Core.Membership;

namespace Kv.Wire.Peer;

/// <summary>
/// Requests and replies between nodes ↔ bytes: the bodies of <see cref="PeerFrame"/>'s messages. Objects travel as the raw bytes of their stored form,
/// documents by their own codec. Hostile bytes give a problem, never an exception, and never more memory than a small multiple of their own length.
/// <code>
/// key      type (length u32, UTF-8) | bucket (length u32, bytes) | key (length u32, bytes)
/// ballot   round i64 | node u64
/// VnodeGet       partition u32 | head only u8 | key
/// VnodePut       partition u32 | kind u8 | durability u8 | key | object (length u32, bytes)
/// Forward        a request: see KvRequestCodec
/// VnodeList      partition u32 | type | has bucket u8 | [bucket] | cursor i64 | limit u32
/// VnodeScan      partition u32 | space u8 | from | until | limit u32 | has pattern u8 | [pattern text] | term at u32
/// HandoffBatch   partition u32 | count u32 | count × (key, value: each length u32, bytes)
/// LearnDocument  document (length u32, bytes)
/// Prepare        cluster id 16 bytes | version i64 | ballot
/// Accept         cluster id 16 bytes | version i64 | ballot | document
/// Propose        change (length u32, bytes)
/// Inspect        attempt u64 | count u32 | count × (clock hash u64 | key)
/// Seal           attempt u64 | count u32 | count × u8
/// Reap           count u32 | count × (clock hash u64 | key)
/// Refused        reason text         Object     present u8 | [stored: length u32, bytes]     Forwarded  an outcome: see KvOutcomeCodec
/// ListPage       has cursor u8 | [cursor i64] | count u32 | count × name
/// ScanPage       has next u8 | [next] | count u32 | count × entry
/// Document       present u8 | [document]      Promised   ballot | present u8 | [document]      Rejected   ballot
/// Proposed       0 changed, 1 unchanged, 2 refused u8 | [document] or [reason text | message text]
/// DoneEach       count u32 | count × u8
/// Rebuild        partition u32 | planned at i64 | attempt u64 | step u8
/// Rebuilding     problem text         Up         count u32 | count × node u64
/// Volume         free i64 | used i64 | reserved i64
/// Identity       member | has cluster u8 | [cluster id 16 bytes]
/// Tree…          see TreeCodec
/// </code>
/// The rest have no body.
/// </summary>
public static class PeerCodec
{
    /// <summary>Roughly how many bytes the message will have; exact for its large parts.</summary>
    public static int SizeHint(PeerRequest request) => 64 + request switch
    {
        PeerRequest.VnodePut put => put.Object.Length + put.Key.Key.Length + put.Key.Bucket.Length,
        PeerRequest.HandoffBatch batch => Sum(batch),
        PeerRequest.Forward { Request: Cluster.KvRequest.Put put } => put.Content.Value.Length + put.Key.Key.Length + put.Key.Bucket.Length,
        _ => 64,
    };

    public static int SizeHint(PeerReply reply) => 64 + reply switch
    {
        PeerReply.Object { Stored: { } stored } => stored.Length,
        PeerReply.Forwarded { Outcome: Cluster.KvOutcome.Found found } => KvOutcomeCodec.SizeHint(found.Object),
        PeerReply.Forwarded { Outcome: Cluster.KvOutcome.Stored { Object: { } stored } } => KvOutcomeCodec.SizeHint(stored),
        _ => 64,
    };

    /// <summary>Writes a whole message, envelope and body.</summary>
    public static void WriteRequest(WireWriter writer, ulong id, uint deadlineMilliseconds, PeerRequest request)
    {
        var start = PeerFrame.WriteEnvelope(writer, id, (byte)CodeOf(request), deadlineMilliseconds, request.DocumentVersion, request.Fence);
        PeerRequestCodec.Write(writer, request);
        writer.FillLength(start);
    }

    /// <summary>Writes a whole message; one that would be longer than <paramref name="longest"/> becomes a refusal that says so.</summary>
    public static void WriteReply(WireWriter writer, ulong id, PeerReply reply, int longest)
    {
        var first = writer.Length;
        var start = PeerFrame.WriteEnvelope(writer, id, (byte)CodeOf(reply), 0, reply.DocumentVersion, reply.Fence);
        PeerReplyCodec.Write(writer, reply);
        writer.FillLength(start);
        var bytes = writer.Length - first;
        if (bytes > longest)
        {
            writer.Truncate(first);
            var reason = string.Create(CultureInfo.InvariantCulture, $"too_large: the answer has {bytes} bytes, at most {longest} are sent to a node");
            WriteReply(writer, id, new PeerReply.Refused(reason) { DocumentVersion = reply.DocumentVersion, Fence = reply.Fence }, int.MaxValue);
        }
    }

    public static bool TryReadRequest(in PeerEnvelope envelope, [NotNullWhen(true)] out PeerRequest? request, [NotNullWhen(false)] out string? problem)
    {
        var reader = new WireReader(envelope.Body);
        request = PeerRequestCodec.Read(ref reader, (PeerRequestCode)envelope.Code, envelope.DocumentVersion, envelope.Fence);
        reader.End();
        problem = reader.Problem;
        request = problem is null ? request : null;
        return request is not null;
    }

    public static bool TryReadReply(in PeerEnvelope envelope, [NotNullWhen(true)] out PeerReply? reply, [NotNullWhen(false)] out string? problem)
    {
        var reader = new WireReader(envelope.Body);
        reply = PeerReplyCodec.Read(ref reader, (PeerReplyCode)envelope.Code, envelope.DocumentVersion, envelope.Fence);
        reader.End();
        problem = reader.Problem;
        reply = problem is null ? reply : null;
        return reply is not null;
    }

    internal static void WriteDocument(WireWriter writer, ClusterDocument document) => writer.Bytes(ClusterDocumentCodec.Encode(document));

    internal static ClusterDocument? ReadDocument(ref WireReader reader)
    {
        var bytes = reader.Bytes();
        if (reader.Failed)
        {
            return null;
        }

        if (ClusterDocumentCodec.TryDecode(bytes, out var document, out var reason))
        {
            return document;
        }

        reader.Fail("no cluster document: " + reason);
        return null;
    }

    private static int Sum(PeerRequest.HandoffBatch batch)
    {
        var bytes = 0L;
        foreach (var entry in batch.Entries)
        {
            bytes += entry.Key.Length + entry.Value.Length + 8;
        }

        return (int)Math.Min(bytes, int.MaxValue - 64);
    }

    private static PeerRequestCode CodeOf(PeerRequest request) => request switch
    {
        PeerRequest.VnodeGet => PeerRequestCode.VnodeGet,
        PeerRequest.VnodePut => PeerRequestCode.VnodePut,
        PeerRequest.Forward => PeerRequestCode.Forward,
        PeerRequest.VnodeList => PeerRequestCode.VnodeList,
        PeerRequest.VnodeScan => PeerRequestCode.VnodeScan,
        PeerRequest.HandoffBatch => PeerRequestCode.HandoffBatch,
        PeerRequest.Heartbeat => PeerRequestCode.Heartbeat,
        PeerRequest.GetDocument => PeerRequestCode.GetDocument,
        PeerRequest.LearnDocument => PeerRequestCode.LearnDocument,
        PeerRequest.Prepare => PeerRequestCode.Prepare,
        PeerRequest.Accept => PeerRequestCode.Accept,
        PeerRequest.Propose => PeerRequestCode.Propose,
        PeerRequest.Identify => PeerRequestCode.Identify,
        PeerRequest.GetHoldings => PeerRequestCode.GetHoldings,
        PeerRequest.Inspect => PeerRequestCode.Inspect,
        PeerRequest.Seal => PeerRequestCode.Seal,
        PeerRequest.Reap => PeerRequestCode.Reap,
        PeerRequest.Rebuild => PeerRequestCode.Rebuild,
        PeerRequest.GetUp => PeerRequestCode.GetUp,
        PeerRequest.KnowsSecurity => PeerRequestCode.KnowsSecurity,
        PeerRequest.KnowsOrdered => PeerRequestCode.KnowsOrdered,
        PeerRequest.KnowsMemory => PeerRequestCode.KnowsMemory,
        PeerRequest.KnowsExpiry => PeerRequestCode.KnowsExpiry,
        PeerRequest.KnowsHooks => PeerRequestCode.KnowsHooks,
        PeerRequest.GetTime => PeerRequestCode.GetTime,
        PeerRequest.GetVolume => PeerRequestCode.GetVolume,
        PeerRequest.TreeRoot => PeerRequestCode.TreeRoot,
        PeerRequest.TreeBranches => PeerRequestCode.TreeBranches,
        PeerRequest.TreeSegments => PeerRequestCode.TreeSegments,
        PeerRequest.TreeLeaves => PeerRequestCode.TreeLeaves,
        PeerRequest.TreeEntries => PeerRequestCode.TreeEntries,
        PeerRequest.TreeLeafEntries => PeerRequestCode.TreeLeafEntries,
        PeerRequest.TreeRelease => PeerRequestCode.TreeRelease,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static PeerReplyCode CodeOf(PeerReply reply) => reply switch
    {
        PeerReply.Unreachable => PeerReplyCode.Unreachable,
        PeerReply.TimedOut => PeerReplyCode.TimedOut,
        PeerReply.Overloaded => PeerReplyCode.Overloaded,
        PeerReply.WrongOwner => PeerReplyCode.WrongOwner,
        PeerReply.Refused => PeerReplyCode.Refused,
        PeerReply.Done => PeerReplyCode.Done,
        PeerReply.Object => PeerReplyCode.Object,
        PeerReply.Forwarded => PeerReplyCode.Forwarded,
        PeerReply.ListPage => PeerReplyCode.ListPage,
        PeerReply.ScanPage => PeerReplyCode.ScanPage,
        PeerReply.Document => PeerReplyCode.Document,
        PeerReply.Promised => PeerReplyCode.Promised,
        PeerReply.Accepted => PeerReplyCode.Accepted,
        PeerReply.Rejected => PeerReplyCode.Rejected,
        PeerReply.Proposed => PeerReplyCode.Proposed,
        PeerReply.Identity => PeerReplyCode.Identity,
        PeerReply.Holdings => PeerReplyCode.Holdings,
        PeerReply.StaleFence => PeerReplyCode.StaleFence,
        PeerReply.DoneEach => PeerReplyCode.DoneEach,
        PeerReply.Rebuilding => PeerReplyCode.Rebuilding,
        PeerReply.Up => PeerReplyCode.Up,
        PeerReply.Time => PeerReplyCode.Time,
        PeerReply.Volume => PeerReplyCode.Volume,
        PeerReply.TreeHashes => PeerReplyCode.TreeHashes,
        PeerReply.TreePage => PeerReplyCode.TreePage,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
