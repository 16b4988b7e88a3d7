using System.Buffers;
using Google.Protobuf;
using Kv.Core.Causality;
using Kv.Protos.Riak;
using Kv.Wire.Riak.Pb;

namespace Kv.Fuzz.Targets;

/// <summary>A message or more of each code that clients send.</summary>
internal static class PbSamples
{
    private static readonly ByteString Clock = ByteString.CopyFrom(CausalContext.Encode(Samples.Clock));

    public static (PbCode Code, IMessage? Message) Put { get; } = (
        PbCode.PutReq, new RpbPutReq { Bucket = Text("b"), Key = Text("k"), Type = Text("siblings"), Content = Content("v"), ReturnBody = true });

    public static IReadOnlyList<(PbCode Code, IMessage? Message)> Messages { get; } =
    [
        Put,
        (PbCode.PutReq, new RpbPutReq { Bucket = Text("b"), Key = Text("k"), Content = Content("v"), W = uint.MaxValue - 1, Dw = 1, Pw = 0, IfNoneMatch = true, NVal = 3, Asis = true, Timeout = 5 }),
        (PbCode.PutReq, new RpbPutReq { Bucket = Text("b"), Type = Text("ordered"), Content = Content("v"), Vclock = Clock, IfNotModified = true, ReturnHead = true }),
        (PbCode.GetReq, new RpbGetReq { Bucket = Text("b"), Key = Text("k"), Type = Text("siblings"), R = 1, Pr = 1, Head = true, IfModified = Clock, Deletedvclock = true }),
        (PbCode.DelReq, new RpbDelReq { Bucket = Text("b"), Key = Text("k"), Type = Text("keeps"), Vclock = Clock, Rw = 1, Timeout = 100 }),
        (PbCode.PingReq, null),
        (PbCode.GetServerInfoReq, null),
        (PbCode.GetClientIdReq, null),
        (PbCode.SetClientIdReq, new RpbSetClientIdReq { ClientId = Text("me") }),
        (PbCode.ListBucketsReq, new RpbListBucketsReq { Stream = true, Type = Text("siblings"), Timeout = 100 }),
        (PbCode.ListKeysReq, new RpbListKeysReq { Bucket = Text("b"), Type = Text("siblings") }),
        (PbCode.GetBucketReq, new RpbGetBucketReq { Bucket = Text("b") }),
        (PbCode.SetBucketReq, new RpbSetBucketReq { Bucket = Text("b"), Props = Props() }),
        (PbCode.ResetBucketReq, new RpbResetBucketReq { Bucket = Text("b") }),
        (PbCode.GetBucketTypeReq, new RpbGetBucketTypeReq { Type = Text("maps") }),
        (PbCode.SetBucketTypeReq, new RpbSetBucketTypeReq { Type = Text("sleeping"), Props = Props() }),
        (PbCode.GetBucketKeyPreflistReq, new RpbGetBucketKeyPreflistReq { Bucket = Text("b"), Key = Text("k") }),
        (PbCode.MapRedReq, Job("""{"inputs":"b","query":[{"map":{"language":"erlang","module":"riak_kv_mapreduce","function":"map_object_value","keep":true}}]}""")),
        (PbCode.MapRedReq, Job("""{"inputs":[["b","k",{"d":1},"siblings"]],"query":[{"map":{"language":"javascript","name":"Riak.mapValuesJson"}},{"reduce":{"language":"javascript","name":"Riak.reduceSort"}}],"timeout":500}""")),
        (PbCode.IndexReq, new RpbIndexReq { Bucket = Text("b"), Type = Text("ordered"), Index = Text("age_int"), Qtype = RpbIndexReq.Types.IndexQueryType.Range, RangeMin = Text("1"), RangeMax = Text("9"), ReturnTerms = true, MaxResults = 1, Stream = true }),
        (PbCode.IndexReq, new RpbIndexReq { Bucket = Text("b"), Type = Text("ordered"), Index = Text("name_bin"), Qtype = RpbIndexReq.Types.IndexQueryType.Eq, Key = Text("a"), TermRegex = Text("^a+$"), Continuation = Text("AWEAAGs") }),
        (PbCode.CounterUpdateReq, new RpbCounterUpdateReq { Bucket = Text("c"), Key = Text("k"), Amount = -5, Returnvalue = true }),
        (PbCode.CounterGetReq, new RpbCounterGetReq { Bucket = Text("c"), Key = Text("k") }),
        (PbCode.DtFetchReq, new DtFetchReq { Bucket = Text("b"), Key = Text("k"), Type = Text("maps"), IncludeContext = true }),
        Update("counters", new DtOp { CounterOp = new CounterOp { Increment = 5 } }),
        Update("sets", new DtOp { SetOp = new SetOp { Adds = { Text("a"), Text("b") }, Removes = { Text("c") } } }),
        Update("gsets", new DtOp { GsetOp = new GSetOp { Adds = { Text("a") } } }),
        Update("hlls", new DtOp { HllOp = new HllOp { Adds = { Text("a") } } }),
        Update("maps", new DtOp { MapOp = Map(Map(null)) }),
        (PbCode.AuthReq, new RpbAuthReq { User = Text("u"), Password = Text("p") }),
    ];

    public static byte[] Frame((PbCode Code, IMessage? Message) one)
    {
        var writer = new ArrayBufferWriter<byte>();
        PbFrame.WriteHeader(writer, one.Code, one.Message?.CalculateSize() ?? 0);
        one.Message?.WriteTo(writer);
        return writer.WrittenSpan.ToArray();
    }

    private static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    public static RpbContent Content(string value) => new()
    {
        Value = Text(value),
        ContentType = Text("text/plain"),
        Charset = Text("utf-8"),
        ContentEncoding = Text("identity"),
        Vtag = Text("tag"),
        LastMod = 1_700_000_000,
        LastModUsecs = 123_456,
        Links = { new RpbLink { Bucket = Text("b"), Key = Text("k"), Tag = Text("t") } },
        Usermeta = { new RpbPair { Key = Text("colour"), Value = Text("red") } },
        Indexes = { new RpbPair { Key = Text("age_int"), Value = Text("3") }, new RpbPair { Key = Text("name_bin"), Value = Text("a") } },
    };

    private static RpbBucketProps Props() => new()
    {
        NVal = 3,
        AllowMult = true,
        R = 1,
        W = uint.MaxValue - 2,
        Datatype = Text("set"),
        Backend = Text("ordered"),
        ChashKeyfun = new RpbModFun { Module = Text("riak_core_util"), Function = Text("chash_std_keyfun") },
        Precommit = { new RpbCommitHook { Modfun = new RpbModFun { Module = Text("m"), Function = Text("f") } }, new RpbCommitHook { Name = Text("n") } },
        HasPrecommit = true,
        Repl = RpbBucketProps.Types.RpbReplMode.Realtime,
    };

    private static (PbCode Code, IMessage? Message) Update(string type, DtOp operation) => (
        PbCode.DtUpdateReq, new DtUpdateReq { Bucket = Text("b"), Key = Text("k"), Type = Text(type), Op = operation, Context = Clock, ReturnBody = true });

    private static MapOp Map(MapOp? inner)
    {
        var map = new MapOp { Removes = { new MapField { Name = Text("gone"), Type = MapField.Types.MapFieldType.Map } } };
        map.Updates.Add(new MapUpdate { Field = Field(MapField.Types.MapFieldType.Counter), CounterOp = new CounterOp { Increment = -1 } });
        map.Updates.Add(new MapUpdate { Field = Field(MapField.Types.MapFieldType.Set), SetOp = new SetOp { Adds = { Text("a") } } });
        map.Updates.Add(new MapUpdate { Field = Field(MapField.Types.MapFieldType.Register), RegisterOp = Text("v") });
        map.Updates.Add(new MapUpdate { Field = Field(MapField.Types.MapFieldType.Flag), FlagOp = MapUpdate.Types.FlagOp.Enable });
        if (inner is not null)
        {
            map.Updates.Add(new MapUpdate { Field = Field(MapField.Types.MapFieldType.Map), MapOp = inner });
        }

        return map;
    }

    private static MapField Field(MapField.Types.MapFieldType type) => new() { Name = Text("f"), Type = type };

    private static RpbMapRedReq Job(string json) => new() { Request = Text(json), ContentType = Text("application/json") };
}
