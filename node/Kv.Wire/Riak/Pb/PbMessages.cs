using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Kv.Protos.Riak;

namespace Kv.Wire.Riak.Pb;

/// <summary>Which message each code that clients send brings; others bring none.</summary>
internal static class PbMessages
{
    private static readonly Entry?[] Entries = Table();

    private sealed record Entry(MessageParser Parser, MessageShape Shape);

    /// <summary>Null for a message without fields, and for one that is not known.</summary>
    // hot
    public static IMessage? Parse(PbCode code, in ReadOnlySequence<byte> message) => Entries[(byte)code]?.Parser.ParseFrom(message);

    /// <summary>How many fields there are to parse; null where the bytes are no such message.</summary>
    // hot
    public static long? CountFields(PbCode code, in ReadOnlySequence<byte> message) => Entries[(byte)code] is { } entry ? entry.Shape.Count(message)?.All : 0;

    private static Entry?[] Table()
    {
        var entries = new Entry?[byte.MaxValue + 1];
        foreach (var (code, message) in new (PbCode, MessageDescriptor)[]
                 {
                     (PbCode.GetReq, RpbGetReq.Descriptor),
                     (PbCode.PutReq, RpbPutReq.Descriptor),
                     (PbCode.DelReq, RpbDelReq.Descriptor),
                     (PbCode.SetClientIdReq, RpbSetClientIdReq.Descriptor),
                     (PbCode.ListBucketsReq, RpbListBucketsReq.Descriptor),
                     (PbCode.ListKeysReq, RpbListKeysReq.Descriptor),
                     (PbCode.MapRedReq, RpbMapRedReq.Descriptor),
                     (PbCode.IndexReq, RpbIndexReq.Descriptor),
                     (PbCode.GetBucketReq, RpbGetBucketReq.Descriptor),
                     (PbCode.SetBucketReq, RpbSetBucketReq.Descriptor),
                     (PbCode.ResetBucketReq, RpbResetBucketReq.Descriptor),
                     (PbCode.GetBucketTypeReq, RpbGetBucketTypeReq.Descriptor),
                     (PbCode.SetBucketTypeReq, RpbSetBucketTypeReq.Descriptor),
                     (PbCode.GetBucketKeyPreflistReq, RpbGetBucketKeyPreflistReq.Descriptor),
                     (PbCode.CounterGetReq, RpbCounterGetReq.Descriptor),
                     (PbCode.CounterUpdateReq, RpbCounterUpdateReq.Descriptor),
                     (PbCode.DtFetchReq, DtFetchReq.Descriptor),
                     (PbCode.DtUpdateReq, DtUpdateReq.Descriptor),
                     (PbCode.AuthReq, RpbAuthReq.Descriptor),
                 })
        {
            entries[(byte)code] = new Entry(message.Parser, MessageShape.Of(message));
        }

        return entries;
    }
}
