using System.Diagnostics;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>The counters of Riak 1.4, in untyped buckets (riak_kv_pb_counter; reference 5.5, 8.3).</summary>
internal sealed class PbCounters(KvClient client, ClusterAdmin admin)
{
    public async ValueTask<PbReply> GetAsync(RpbCounterGetReq message)
    {
        var fields = new PbFields();
        var get = new KvRequest.Get
        {
            Key = fields.Key(hasType: false, default!, message.Bucket, message.Key.Memory),
            R = PbFields.QuorumOf(message.HasR, message.R),
            Pr = PbFields.QuorumOf(message.HasPr, message.Pr),
            NodeConfirms = PbFields.QuorumOf(message.HasNodeConfirms, message.NodeConfirms),
            BasicQuorum = message.HasBasicQuorum ? message.BasicQuorum : null,
            NotFoundOk = message.HasNotfoundOk ? message.NotfoundOk : null,
        };
        if (fields.Fault is null && admin.GetBucketProps(new BucketName(get.Key.BucketType, get.Key.Bucket)) is { Value: { } props } && !CanCount(props))
        {
            fields.Refuse(PbErrors.CountersNeedSiblings);
        }

        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(get, CancellationToken.None) switch
        {
            KvOutcome.Found found => ValueOf(found.Object) is { } value
                ? new PbReply(PbCode.CounterGetResp, new RpbCounterGetResp { Value = value })
                : PbReply.Error(PbErrors.NoCounter),
            KvOutcome.NotFound => PbReply.Empty(PbCode.CounterGetResp),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a counter's get ended in {outcome}"),
        };
    }

    public async ValueTask<PbReply> UpdateAsync(RpbCounterUpdateReq message)
    {
        var fields = new PbFields();
        var put = new KvRequest.Put
        {
            Key = fields.Key(hasType: false, default!, message.Bucket, message.Key.Memory),
            Content = new Sibling { Dot = null },
            Update = new DataTypeUpdate(new DataTypeOperation.Increment(message.Amount), null),
            W = PbFields.QuorumOf(message.HasW, message.W),
            Dw = PbFields.QuorumOf(message.HasDw, message.Dw),
            Pw = PbFields.QuorumOf(message.HasPw, message.Pw),
            NodeConfirms = PbFields.QuorumOf(message.HasNodeConfirms, message.NodeConfirms),
            ReturnBody = message.Returnvalue,
        };
        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(put, CancellationToken.None) switch
        {
            KvOutcome.Stored { Object: null } => PbReply.Empty(PbCode.CounterUpdateResp),
            KvOutcome.Stored { Object: { } stored } => new PbReply(PbCode.CounterUpdateResp, new RpbCounterUpdateResp { Value = ValueOf(stored) ?? 0 }),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a counter's update ended in {outcome}"),
        };
    }

    /// <summary>Whether untyped buckets of these properties have counters.</summary>
    public static bool CanCount(BucketProps props) => props is { AllowMult: true, LastWriteWins: false };

    private static long? ValueOf(KvObject held) =>
        DataTypeObject.ReadCounter(held, out _) is CausalDataType { Root: CounterStore counter } ? PbDataTypeValues.Number(counter.Value) : null;
}
