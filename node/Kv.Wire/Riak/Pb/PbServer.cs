using Google.Protobuf;
using Kv.Core.Rings;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>What a client asks about the server: who it is, and which nodes a key is on (riak_api_basic_pb_service, riak_kv_pb_bucket_key_apl; reference 8.3).</summary>
internal sealed class PbServer(RiakPbDoors doors, RiakPbOptions options)
{
    private readonly RpbGetServerInfoResp info = new()
    {
        Node = ByteString.CopyFromUtf8(doors.NodeName),
        ServerVersion = ByteString.CopyFromUtf8(options.ServerVersion),
    };

    public PbReply Info() => new(PbCode.GetServerInfoResp, info);

    public PbReply Preflist(RpbGetBucketKeyPreflistReq message)
    {
        var fields = new PbFields();
        var key = fields.Key(message.HasType, message.Type, message.Bucket, message.Key.Memory);
        if (fields.Fault is { } fault)
        {
            return PbReply.Error(fault);
        }

        var snapshot = doors.State.Current;
        if (snapshot.Document is not { } document)
        {
            return PbReply.Error("node is not ready: the node is in no cluster yet");
        }

        if (document.EffectiveProps(new(key.BucketType, key.Bucket)) is not { } props)
        {
            return PbReply.Error(PbErrors.NoBucketType(key.BucketType));
        }

        var first = RingHash.FirstPartition(key, props.ChashKeyFun, document.Ring.Size);
        var response = new RpbGetBucketKeyPreflistResp();
        foreach (var entry in PreferenceList.Compute(document.Ring, first, props.NVal, snapshot.Up))
        {
            response.Preflist.Add(new RpbBucketKeyPreflistItem
            {
                Partition = entry.Partition.Number,
                Node = ByteString.CopyFromUtf8(document.FindMember(entry.Node)?.Name ?? entry.Node.ToString()),
                Primary = entry.IsPrimary,
            });
        }

        return new PbReply(PbCode.GetBucketKeyPreflistResp, response);
    }
}
