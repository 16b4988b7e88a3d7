using Google.Protobuf;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Properties of buckets and of bucket types (riak_core_pb_bucket, riak_core_pb_bucket_type; reference 4.3, 8.3). Changes are judged here by the same rules that administration
/// applies again, so that every problem is named in Riak's form.
/// </summary>
internal sealed class PbBuckets(ClusterAdmin admin)
{
    public PbReply Get(RpbGetBucketReq message)
    {
        var fields = new PbFields();
        var name = Name(message.HasType, message.Type, message.Bucket, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        var props = admin.GetBucketProps(name);
        return props.IsOk ? Props(props.Value) : PbReply.Error(PbErrors.Of(props.Refusal, name.BucketType));
    }

    public async ValueTask<PbReply> SetAsync(RpbSetBucketReq message)
    {
        var fields = new PbFields();
        var name = Name(message.HasType, message.Type, message.Bucket, ref fields);
        var change = PbProps.ReadChange(message.Props, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        var current = admin.GetBucketProps(name);
        if (!current.IsOk)
        {
            return PbReply.Error(PbErrors.Of(current.Refusal, name.BucketType));
        }

        var judged = name.BucketType == ObjectKey.DefaultType
            ? BucketPropsRules.SetUntypedBucket(current.Value, change)
            : BucketPropsRules.SetBucketInType(current.Value, change);
        return judged.Props is null
            ? PbReply.Error(PbErrors.InvalidProps(judged.Problems))
            : Changed((await admin.SetBucketPropsAsync(name, change.GetRawText(), CancellationToken.None)).Refusal, name.BucketType);
    }

    public async ValueTask<PbReply> ResetAsync(RpbResetBucketReq message)
    {
        var fields = new PbFields();
        var name = Name(message.HasType, message.Type, message.Bucket, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        var reset = await admin.ResetBucketPropsAsync(name, CancellationToken.None);
        return reset.IsOk ? PbReply.Empty(PbCode.ResetBucketResp) : PbReply.Error(PbErrors.Of(reset.Refusal, name.BucketType));
    }

    public PbReply GetType(RpbGetBucketTypeReq message)
    {
        var fields = new PbFields();
        var name = fields.Text(message.Type, "the bucket type");
        return fields.Fault is { } fault ? PbReply.Error(fault)
            : FindType(name, out var refusal) is { } type ? Props(type.Props)
            : PbReply.Error(refusal?.Message ?? PbErrors.InvalidBucketType(name));
    }

    public async ValueTask<PbReply> SetTypeAsync(RpbSetBucketTypeReq message)
    {
        var fields = new PbFields();
        var name = fields.Text(message.Type, "the bucket type");
        var change = PbProps.ReadChange(message.Props, ref fields);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        if (FindType(name, out var refusal) is not { } type)
        {
            return PbReply.Error(refusal?.Message ?? PbErrors.InvalidBucketType(name));
        }

        var judged = BucketPropsRules.UpdateType(type.Props, change);
        return judged.Props is null
            ? PbReply.Error(PbErrors.InvalidProps(judged.Problems))
            : Changed((await admin.UpdateBucketTypeAsync(name, change.GetRawText(), CancellationToken.None)).Refusal, name);
    }

    /// <summary>A type that is not active does not exist for clients. Null with no refusal where there is none.</summary>
    private BucketTypeView? FindType(string name, out AdminRefusal? refusal)
    {
        var found = admin.GetBucketType(name);
        refusal = found.IsOk || found.Refusal.Kind == AdminRefusalKind.NotFound ? null : found.Refusal;
        return found.IsOk && found.Value.Stage == BucketTypeStage.Active ? found.Value : null;
    }

    private static PbReply Changed(AdminRefusal? refusal, string bucketType) =>
        refusal is null ? PbReply.Empty(PbCode.SetBucketResp) : PbReply.Error(PbErrors.Of(refusal, bucketType));

    private static PbReply Props(BucketProps props) => new(PbCode.GetBucketResp, new RpbGetBucketResp { Props = PbProps.Write(props) });

    private static BucketName Name(bool hasType, ByteString type, ByteString bucket, ref PbFields fields)
    {
        if (bucket.IsEmpty)
        {
            fields.Refuse(PbErrors.EmptyBucket);
        }

        return new BucketName(fields.BucketType(hasType, type), bucket.Memory);
    }
}
