using System.Buffers;
using Google.Protobuf;
using Kv.Fuzz.Running;
using Kv.Protos.Kv.V1;
using Kv.Wire;
using Kv.Wire.Native;

namespace Kv.Fuzz.Targets;

/// <summary>Messages of our own gRPC interface, counted and then parsed, as a call does it. The first byte says which.</summary>
internal sealed class NativeTarget : FuzzTarget
{
    private static readonly (MessageShape Shape, MessageParser Parser)[] Messages =
    [
        .. new[] { GetRequest.Descriptor, PutRequest.Descriptor, DeleteRequest.Descriptor, FetchDataTypeRequest.Descriptor, UpdateDataTypeRequest.Descriptor, SessionRequests.Descriptor, MultiGetRequest.Descriptor, ListKeysRequest.Descriptor }
            .Select(message => (MessageShape.Of(message), message.Parser)),
    ];

    public override string Name => "native";

    public override long BytesPerByte => 1024;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var key = new Key { BucketType = "t", Bucket = ByteString.CopyFromUtf8("b"), Key_ = ByteString.CopyFromUtf8("k") };
            var clock = ByteString.CopyFrom(Core.Causality.CausalContext.Encode(Samples.Clock));
            var get = new GetRequest { Key = key, NVal = 3, BasicQuorum = true, NotfoundOk = false, HeadOnly = true, IfModified = clock, TimeoutMilliseconds = 5 };
            var put = new PutRequest { Key = key, Context = clock, Content = new Content { Value = ByteString.CopyFromUtf8("v"), ContentType = "text/plain" }, IfNoneMatch = true };
            put.Content.Links.Add(new Link { Bucket = "b", Key = "k", Tag = "t" });
            put.Content.UserMetadata.Add(new Pair { Name = "n", Value = "v" });
            put.Content.Indexes.Add(new Pair { Name = "age_int", Value = "3" });
            var map = new MapChange();
            map.Updates.Add(new DataTypeOperation { Field = ByteString.CopyFromUtf8("c"), Increment = "-5" });
            map.Updates.Add(new DataTypeOperation { Field = ByteString.CopyFromUtf8("s"), Set = new SetChange { Adds = { ByteString.CopyFromUtf8("a") } } });
            map.Removes.Add(new FieldName { Name = ByteString.CopyFromUtf8("gone") });
            var update = new UpdateDataTypeRequest { Key = key, Context = clock, Operation = new DataTypeOperation { Map = map } };
            var session = new SessionRequests();
            session.Requests.Add(new SessionRequest { Id = 7, Get = get });
            session.Requests.Add(new SessionRequest { Id = 8, Put = put });
            return [Tagged(0, get), Tagged(1, put), Tagged(2, new DeleteRequest { Key = key, Context = clock }), Tagged(3, new FetchDataTypeRequest { Key = key }), Tagged(4, update), Tagged(5, session), Tagged(6, new MultiGetRequest { Gets = { get } })];
        }
    }

    public override void Take(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }

        var (shape, parser) = Messages[input[0] % Messages.Length];
        _ = shape.Count(new ReadOnlySequence<byte>(input.AsMemory(1)));
        IMessage message;
        try
        {
            message = parser.ParseFrom(input, 1, input.Length - 1);
        }
        catch (InvalidProtocolBufferException)
        {
            return;
        }

        Decode(message);
    }

    private static void Decode(IMessage message)
    {
        switch (message)
        {
            case GetRequest get:
                Check(NativeCodec.Decode(get, limit: null));
                break;
            case PutRequest put:
                Check(NativeCodec.Decode(put, limit: null, out _));
                break;
            case DeleteRequest delete:
                Check(NativeCodec.Decode(delete, limit: null));
                break;
            case FetchDataTypeRequest fetch:
                Check(NativeDataTypeCodec.Decode(fetch, limit: null));
                break;
            case UpdateDataTypeRequest update:
                Check(NativeDataTypeCodec.Decode(update, limit: null, out _));
                break;
            case SessionRequests session:
                foreach (var one in session.Requests.Select(Of).OfType<IMessage>())
                {
                    Decode(one);
                }

                break;
        }
    }

    private static IMessage? Of(SessionRequest request) => request.OperationCase switch
    {
        SessionRequest.OperationOneofCase.Get => request.Get,
        SessionRequest.OperationOneofCase.Put => request.Put,
        SessionRequest.OperationOneofCase.Delete => request.Delete,
        SessionRequest.OperationOneofCase.FetchDataType => request.FetchDataType,
        SessionRequest.OperationOneofCase.UpdateDataType => request.UpdateDataType,
        _ => null,
    };

    private static void Check<T>(Decoded<T> decoded)
        where T : Cluster.KvRequest => FuzzFailure.Unless(decoded.Request is null != decoded.Error is null, "it is neither read nor refused, or both");

    private static byte[] Tagged(byte which, IMessage message) => [which, .. message.ToByteArray()];
}
