using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>datatype, counter, set, gset, hll and map: what goes to the node, what comes out, and how it ends.</summary>
public sealed class DataTypeCommandTests
{
    private static readonly ByteString Binary = ByteString.CopyFrom(0, 255);

    private static DataTypeValue Alice => Map(
        new DataTypeValue
        {
            Field = Bytes("address"),
            Map = new DataTypeFields { Fields = { new DataTypeValue { Field = Bytes("city"), Register = Bytes("Köln") }, new DataTypeValue { Field = Binary, Register = Binary } } },
        },
        new DataTypeValue { Field = Bytes("friends"), Set = Members("bob", "eve") },
        new DataTypeValue { Field = Bytes("none"), Set = new Members() },
        new DataTypeValue { Field = Bytes("paid"), Flag = true },
        new DataTypeValue { Field = Bytes("visits"), Counter = "7" });

    /// <summary>A value, what is printed of it, and its JSON.</summary>
    public static TheoryData<DataTypeValue, string, string> Values => new()
    {
        { new DataTypeValue { Counter = "-18446744073709551617" }, "-18446744073709551617\n", """{"type":"t","bucket":"b","key":"k","kind":"counter","value":-18446744073709551617,"context":"AQL/"}""" },
        { new DataTypeValue { Hll = 42 }, "42\n", """{"type":"t","bucket":"b","key":"k","kind":"hll","value":42,"context":"AQL/"}""" },
        { new DataTypeValue { Gset = Members("a", "b") }, "a\nb\n", """{"type":"t","bucket":"b","key":"k","kind":"gset","value":["a","b"],"context":"AQL/"}""" },
        { new DataTypeValue { Set = new Members { Members_ = { Bytes("a\nb"), Binary } } }, "base64:YQpi\nbase64:AP8=\n", """{"type":"t","bucket":"b","key":"k","kind":"set","value":["a\nb",{"base64":"AP8="}],"context":"AQL/"}""" },
        { new DataTypeValue { Set = new Members() }, "", """{"type":"t","bucket":"b","key":"k","kind":"set","value":[],"context":"AQL/"}""" },
        {
            Alice,
            """
            FIELD                                     VALUE
            address_map.city_register                 Köln
            address_map.base64:AP8=_register          base64:AP8=
            friends_set                               bob
            friends_set                               eve
            none_set                                  -
            paid_flag                                 true
            visits_counter                            7

            """,
            """{"type":"t","bucket":"b","key":"k","kind":"map","value":{"address_map":{"city_register":"Köln","base64:AP8=_register":{"base64":"AP8="}},"friends_set":["bob","eve"],"none_set":[],"paid_flag":true,"visits_counter":7},"context":"AQL/"}"""
        },
    };

    /// <summary>A command line, and the operation that goes to the node.</summary>
    public static TheoryData<string, string> Updates => new()
    {
        { "counter add t b k", """{ "increment": "1" }""" },
        { "counter add t b k 5", """{ "increment": "5" }""" },
        { "counter add t b k -5", """{ "increment": "-5" }""" },
        { "counter add --type t b k -- -18446744073709551617", """{ "increment": "-18446744073709551617" }""" },
        { "set add t b k a b", """{ "set": { "adds": [ "YQ==", "Yg==" ] } }""" },
        { "set remove t b k a", """{ "set": { "removes": [ "YQ==" ] } }""" },
        { "set add t b k AP8= --base64-members", """{ "set": { "adds": [ "AP8=" ] } }""" },
        { "gset add t b k a", """{ "gset": { "members": [ "YQ==" ] } }""" },
        { "hll add t b k a", """{ "hll": { "members": [ "YQ==" ] } }""" },
        { "map update t b k n_counter+=2 n_counter-=5 n_counter-=-3", """{ "map": { "updates": [ { "field": "bg==", "increment": "2" }, { "field": "bg==", "increment": "-5" }, { "field": "bg==", "increment": "3" } ] } }""" },
        { "map update t b k s_set+=a s_set-=b", """{ "map": { "updates": [ { "field": "cw==", "set": { "adds": [ "YQ==" ] } }, { "field": "cw==", "set": { "removes": [ "Yg==" ] } } ] } }""" },
        { "map update t b k r_register=a=b+=c f_flag=true g_h_flag=false", """{ "map": { "updates": [ { "field": "cg==", "assign": "YT1iKz1j" }, { "field": "Zg==", "flag": true }, { "field": "Z19o", "flag": false } ] } }""" },
        { "map update t b k m_map.o_map.r_register=x", """{ "map": { "updates": [ { "field": "bQ==", "map": { "updates": [ { "field": "bw==", "map": { "updates": [ { "field": "cg==", "assign": "eA==" } ] } } ] } } ] } }""" },
        { "map remove t b k s_set m_map m_map.f_flag", """{ "map": { "updates": [ { "field": "bQ==", "map": { "removes": [ { "name": "Zg==", "kind": "DATA_TYPE_KIND_FLAG" } ] } } ], "removes": [ { "name": "cw==", "kind": "DATA_TYPE_KIND_SET" }, { "name": "bQ==", "kind": "DATA_TYPE_KIND_MAP" } ] } }""" },
    };

    [Theory, MemberData(nameof(Values))]
    public async Task Get_PrintsTheValue(DataTypeValue value, string text, string json)
    {
        var answer = new FetchDataTypeResponse { Kind = DataTypeKind.Map, Value = value, Context = Samples.Context };
        var (run, requests) = await AgainstAsync(_ => answer, "datatype", "get", "t", "b", "k", "--r", "2", "--notfound-ok", "false");
        Assert.Equal((0, Shrunk(text), ""), (run.ExitCode, Shrunk(run.Output), run.Error));
        var request = Assert.IsType<FetchDataTypeRequest>(Assert.Single(requests));
        Assert.Equal(("t", "b", "k", 2u, false), (request.Key.BucketType, request.Key.Bucket.ToStringUtf8(), request.Key.Key_.ToStringUtf8(), request.R.Number, request.NotfoundOk));

        (run, _) = await AgainstAsync(_ => answer, "datatype", "get", "t", "b", "k", "-o", "json");
        Assert.Equal(json, System.Text.Json.Nodes.JsonNode.Parse(run.Output)!.ToJsonString(Kv.Kubectl.Output.JsonText.Compact));
    }

    [Fact]
    public async Task Get_OfNothing_EndsWithThree()
    {
        var (run, _) = await AgainstAsync(_ => new FetchDataTypeResponse { Kind = DataTypeKind.Set }, "datatype", "get", "t", "b", "k");
        Assert.Equal((3, "kv: not found\n", ""), (run.ExitCode, run.Error, run.Output));
    }

    [Theory, MemberData(nameof(Updates))]
    public async Task Update_SendsItsOperation(string line, string operation)
    {
        var (run, requests) = await AgainstAsync(_ => new UpdateDataTypeResponse(), line.Split(' '));
        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
        var request = Assert.IsType<UpdateDataTypeRequest>(Assert.Single(requests));
        Assert.Equal(("t", "b", "k"), (request.Key.BucketType, request.Key.Bucket.ToStringUtf8(), request.Key.Key_.ToStringUtf8()));
        Assert.Equal(operation, request.Operation.ToString());
        Assert.True(request.Context.IsEmpty);
    }

    [Fact]
    public async Task Update_SendsQuorumsAndContext_AndPrintsWhatIsThereAfterwards()
    {
        var (run, requests) = await AgainstAsync(
            _ => new UpdateDataTypeResponse { Value = new DataTypeValue { Set = Members("a") }, Context = Samples.Context },
            "set", "remove", "t", "b", "k", "b", "--context", "AQL/", "--w", "all", "--dw", "2", "--return-body");
        Assert.Equal((0, "a\n"), (run.ExitCode, run.Output));
        var request = Assert.IsType<UpdateDataTypeRequest>(Assert.Single(requests));
        Assert.Equal((Samples.Context, Quorum.Types.Word.All, 2u, true), (request.Context, request.W.Word, request.Dw.Number, request.ReturnBody));
    }

    [Fact]
    public async Task Update_AsJson_NamesTheKey()
    {
        var (run, _) = await AgainstAsync(_ => new UpdateDataTypeResponse(), "counter", "add", "t", "b", "k", "-o", "json");
        Assert.Equal("""{"type":"t","bucket":"b","key":"k"}""", System.Text.Json.Nodes.JsonNode.Parse(run.Output)!.ToJsonString());
    }

    [Fact]
    public async Task Removal_WithContextFromGet_ReadsFirst_AndEndsWithThreeWhereThereIsNothing()
    {
        var (run, requests) = await AgainstAsync(
            request => request is FetchDataTypeRequest ? new FetchDataTypeResponse { Context = Samples.Context } : new UpdateDataTypeResponse(), "map", "remove", "t", "b", "k", "s_set", "--context-from-get");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Samples.Context, Assert.IsType<UpdateDataTypeRequest>(requests[1]).Context);

        (run, requests) = await AgainstAsync(_ => new FetchDataTypeResponse(), "set", "remove", "t", "b", "k", "a", "--context-from-get");
        Assert.Equal((3, "kv: not found: there is nothing to remove\n"), (run.ExitCode, run.Error));
        Assert.IsType<FetchDataTypeRequest>(Assert.Single(requests));
    }

    [Fact]
    public async Task Removal_OfWhatIsNotThere_EndsWithOne()
    {
        var error = new Error { Code = Error.Types.Code.NotPresent, Message = "there is no <<\"a\">> to remove" };
        var (run, _) = await AgainstAsync(_ => new UpdateDataTypeResponse { Error = error }, "set", "remove", "t", "b", "k", "a");
        Assert.Equal((1, "kv: there is no <<\"a\">> to remove\n"), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("gset", 2)]
    [InlineData("counter", 1)]
    public async Task Update_ThatANodeDidNotAnswer_IsSentAgainOnlyWhereThatDoesNoHarm(string what, int times)
    {
        await using var lost = await StubNode.StartAsync(_ => throw new Grpc.Core.RpcException(new Grpc.Core.Status(Grpc.Core.StatusCode.Unavailable, "gone")));
        await using var other = await StubNode.StartAsync(_ => new UpdateDataTypeResponse());
        using var directory = new RunDirectory($"node-0 grpc {lost.Address}\nnode-1 grpc {other.Address}\n");
        var run = await directory.KvAsync(what, "add", "t", "b", "k", "1");
        Assert.Equal(times, lost.Requests.Count + other.Requests.Count);
        Assert.Equal(times == 2 ? 0 : 4, run.ExitCode);
    }

    private static Members Members(params string[] members) => new() { Members_ = { members.Select(Bytes) } };

    private static DataTypeValue Map(params DataTypeValue[] fields) => new() { Map = new DataTypeFields { Fields = { fields } } };

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    /// <summary>A table's columns are as wide as they need to be.</summary>
    private static string Shrunk(string table) => System.Text.RegularExpressions.Regex.Replace(table, " {2,}", "  ");

    private static async Task<(KvRun Run, IMessage[] Requests)> AgainstAsync(Func<IMessage, IMessage> answer, params string[] arguments)
    {
        await using var node = await StubNode.StartAsync(answer);
        var run = await KvRun.OfAsync([.. arguments.TakeWhile(word => word != "--"), "--endpoint", node.Address, .. arguments.SkipWhile(word => word != "--")]);
        return (run, [.. node.Requests]);
    }
}
