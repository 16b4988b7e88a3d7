using System.Diagnostics;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>Fetch and update of data types (riak_kv_pb_crdt; reference 5, 8.4); in the default type, which has none of its own, of the counters of Riak 1.4.</summary>
internal sealed class PbDataTypes(KvClient client, ClusterAdmin admin)
{
    public async ValueTask<PbReply> FetchAsync(DtFetchReq message)
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
            Timeout = PbFields.Timeout(message.Timeout),
        };
        var props = PropsOf(get.Key, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        var response = new DtFetchResp { Type = PbDataTypeValues.TypeOf(DataTypeObject.KindOf(props!) ?? DataTypeKind.Counter) };
        switch (await client.ExecuteAsync(get, CancellationToken.None))
        {
            case KvOutcome.NotFound:
                return new PbReply(PbCode.DtFetchResp, response);
            case KvOutcome.Found found when StateOf(found.Object, props!) is { } state:
                response.Value = PbDataTypeValues.Value(state);
                if (message.IncludeContext && PbDataTypeValues.Context(state) is { IsEmpty: false } context)
                {
                    response.Context = context;
                }

                return new PbReply(PbCode.DtFetchResp, response);
            case KvOutcome.Found:
                return PbReply.Error(props!.DataType is null ? PbErrors.NoCounter : PbErrors.NoDataType);
            case KvOutcome.Failed failed:
                return PbReply.Error(PbErrors.Of(failed.Error));
            case var outcome:
                throw new UnreachableException($"a fetch ended in {outcome}");
        }
    }

    public async ValueTask<PbReply> UpdateAsync(DtUpdateReq message)
    {
        var fields = new PbFields();
        var generated = message.HasKey ? null : GeneratedKey.New();
        var key = fields.Key(message.HasType, message.Type, message.Bucket, generated ?? message.Key.Memory);
        var props = PropsOf(key, ref fields);
        if (PbDataTypeOperations.Read(message.Op, ref fields) is not { } operation)
        {
            return PbReply.Error(PbErrors.Malformed("a DtOp has no operation"));
        }

        if (key.BucketType == ObjectKey.DefaultType && operation is not DataTypeOperation.Increment)
        {
            fields.Refuse(PbErrors.NoCounterOperation);
        }

        var put = new KvRequest.Put
        {
            Key = key,
            Content = new Sibling { Dot = null },
            Update = new DataTypeUpdate(operation, fields.Clock(message.Context)),
            W = PbFields.QuorumOf(message.HasW, message.W),
            Dw = PbFields.QuorumOf(message.HasDw, message.Dw),
            Pw = PbFields.QuorumOf(message.HasPw, message.Pw),
            NodeConfirms = PbFields.QuorumOf(message.HasNodeConfirms, message.NodeConfirms),
            ReturnBody = message.ReturnBody,
            SloppyQuorum = !message.HasSloppyQuorum || message.SloppyQuorum,
            NVal = fields.NVal(message.HasNVal, message.NVal),
            Timeout = PbFields.Timeout(message.Timeout),
        };
        return fields.Fault is { } fault ? PbReply.Error(fault) : await client.ExecuteAsync(put, CancellationToken.None) switch
        {
            KvOutcome.Stored { Object: null } when generated is null => PbReply.Empty(PbCode.DtUpdateResp),
            KvOutcome.Stored stored => new PbReply(PbCode.DtUpdateResp, Updated(stored.Object, props!, generated, message.IncludeContext)),
            KvOutcome.Failed failed => PbReply.Error(PbErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"an update ended in {outcome}"),
        };
    }

    private static DtUpdateResp Updated(KvObject? stored, BucketProps props, byte[]? generated, bool includeContext)
    {
        var response = new DtUpdateResp();
        if (generated is not null)
        {
            response.Key = PbFields.Wrap(generated);
        }

        if (stored is null || StateOf(stored, props) is not { } state)
        {
            return response;
        }

        if (includeContext && PbDataTypeValues.Context(state) is { IsEmpty: false } context)
        {
            response.Context = context;
        }

        var value = PbDataTypeValues.Value(state);
        response.SetValue.Add(value.SetValue);
        response.MapValue.Add(value.MapValue);
        response.GsetValue.Add(value.GsetValue);
        if (value.HasCounterValue)
        {
            response.CounterValue = value.CounterValue;
        }

        if (value.HasHllValue)
        {
            response.HllValue = value.HllValue;
        }

        return response;
    }

    private static DataType? StateOf(KvObject held, BucketProps props) =>
        props.DataType is null ? DataTypeObject.ReadCounter(held, out _) : DataTypeObject.Read(held, props, out _);

    /// <summary>The properties of a bucket with a data type, or of an untyped one with counters; a fault for any other.</summary>
    private BucketProps? PropsOf(ObjectKey key, ref PbFields fields)
    {
        if (fields.Fault is not null)
        {
            return null;
        }

        var props = admin.GetBucketProps(new BucketName(key.BucketType, key.Bucket));
        if (!props.IsOk)
        {
            fields.Refuse($"Error no bucket type `<<\"{key.BucketType}\">>`");
            return null;
        }

        if (key.BucketType == ObjectKey.DefaultType)
        {
            if (!PbCounters.CanCount(props.Value))
            {
                fields.Refuse(PbErrors.CountersNeedSiblings);
            }
        }
        else if (DataTypeObject.KindOf(props.Value) is null)
        {
            fields.Refuse(PbErrors.NoDataType);
        }

        return props.Value;
    }
}
