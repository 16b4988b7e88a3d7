using Google.Protobuf;
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

        if (KeyReplica.TryList(doors.State, key, out var replicas) is { } error)
        {
            return PbReply.Error(PbErrors.Of(error));
        }

        var response = new RpbGetBucketKeyPreflistResp();
        foreach (var replica in replicas)
        {
            response.Preflist.Add(new RpbBucketKeyPreflistItem { Partition = replica.Partition, Node = ByteString.CopyFromUtf8(replica.Node), Primary = replica.IsPrimary });
        }

        return new PbReply(PbCode.GetBucketKeyPreflistResp, response);
    }
}
