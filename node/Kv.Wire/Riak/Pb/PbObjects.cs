using System.Diagnostics;
using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>Get, put and delete of an object (riak_kv_pb_object; reference 8.3).</summary>
internal sealed class PbObjects(KvClient client)
{
    // hot
    public async ValueTask<PbReply> GetAsync(RpbGetReq message)
    {
        var fields = new PbFields();
        var get = new KvRequest.Get
        {
            Key = fields.Key(message.HasType, message.Type, message.Bucket, message.Key.Memory),
            R = PbFields.QuorumOf(message.HasR, message.R),
            Pr = PbFields.QuorumOf(message.HasPr, message.Pr),
            NodeConfirms = PbFields.QuorumOf(message.HasNodeConfirms, message.NodeConfirms),
            BasicQuorum = message.HasBasicQuorum ? message.BasicQuorum : null,
            NotFoundOk = message.HasNotfoundOk ? message.NotfoundOk : null,
            SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
            NVal = fields.NVal(message.HasNVal, message.NVal),
            HeadOnly = message.Head,
            IfModified = fields.Clock(message.IfModified),
            Timeout = PbFields.Timeout(message.Timeout),
        };
        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(get, CancellationToken.None) switch
        {
            KvOutcome.Found found => new PbReply(PbCode.GetResp, Found(found.Object)),
            KvOutcome.NotFound { TombstoneContext: { } clock } when message.Deletedvclock => new PbReply(PbCode.GetResp, new RpbGetResp { Vclock = PbContents.Context(clock) }),
            KvOutcome.NotFound => PbReply.Empty(PbCode.GetResp),
            KvOutcome.Unchanged => new PbReply(PbCode.GetResp, new RpbGetResp { Unchanged = true }),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a get ended in {outcome}"),
        };
    }

    // hot
    public async ValueTask<PbReply> PutAsync(RpbPutReq message)
    {
        var fields = new PbFields();
        var generated = message.HasKey ? null : GeneratedKey.New();
        var put = new KvRequest.Put
        {
            Key = fields.Key(message.HasType, message.Type, message.Bucket, generated ?? message.Key.Memory),
            Content = PbContents.Read(message.Content, ref fields),
            Context = fields.Clock(message.Vclock) ?? VersionVector.Empty,
            W = PbFields.QuorumOf(message.HasW, message.W),
            Dw = PbFields.QuorumOf(message.HasDw, message.Dw),
            Pw = PbFields.QuorumOf(message.HasPw, message.Pw),
            NodeConfirms = PbFields.QuorumOf(message.HasNodeConfirms, message.NodeConfirms),
            ReturnBody = message.ReturnBody && !message.ReturnHead,
            ReturnHead = message.ReturnHead,
            IfNoneMatch = message.IfNoneMatch,

            // Of both at once Riak checks the first alone.
            IfNotModified = message.IfNotModified && !message.IfNoneMatch,
            AsIs = message.Asis,
            SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
            NVal = fields.NVal(message.HasNVal, message.NVal),
            Timeout = PbFields.Timeout(message.Timeout),
        };
        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(put, CancellationToken.None) switch
        {
            KvOutcome.Stored { Object: null } when generated is null => PbReply.Empty(PbCode.PutResp),
            KvOutcome.Stored stored => new PbReply(PbCode.PutResp, Stored(stored.Object, generated)),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a put ended in {outcome}"),
        };
    }

    /// <summary>Succeeds also where there is nothing to delete.</summary>
    public async ValueTask<PbReply> DeleteAsync(RpbDelReq message)
    {
        var fields = new PbFields();
        var context = fields.Clock(message.Vclock);
        var delete = new KvRequest.Delete
        {
            Key = fields.Key(message.HasType, message.Type, message.Bucket, message.Key.Memory),

            // An empty clock is one that has seen nothing; without any, the object is read first.
            Context = message.HasVclock ? context ?? VersionVector.Empty : null,
            Rw = PbFields.QuorumOf(message.HasRw, message.Rw),
            R = PbFields.QuorumOf(message.HasR, message.R),
            W = PbFields.QuorumOf(message.HasW, message.W),
            Pr = PbFields.QuorumOf(message.HasPr, message.Pr),
            Pw = PbFields.QuorumOf(message.HasPw, message.Pw),
            Dw = PbFields.QuorumOf(message.HasDw, message.Dw),
            SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
            NVal = fields.NVal(message.HasNVal, message.NVal),
            Timeout = PbFields.Timeout(message.Timeout),
        };
        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(delete, CancellationToken.None) switch
        {
            KvOutcome.Deleted or KvOutcome.NotFound => PbReply.Empty(PbCode.DelResp),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a delete ended in {outcome}"),
        };
    }

    private static RpbGetResp Found(KvObject found)
    {
        var response = new RpbGetResp { Vclock = PbContents.Context(found.Clock) };
        PbContents.Write(response.Content, found);
        return response;
    }

    private static RpbPutResp Stored(KvObject? stored, byte[]? generated)
    {
        var response = new RpbPutResp();
        if (stored is not null)
        {
            response.Vclock = PbContents.Context(stored.Clock);
            PbContents.Write(response.Content, stored);
        }

        if (generated is not null)
        {
            response.Key = PbFields.Wrap(generated);
        }

        return response;
    }
}
