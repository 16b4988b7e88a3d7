using System.Text.Json.Nodes;
using Google.Protobuf;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Operator.Tests.Kubectl;

/// <summary>put, get, delete, list: what goes to the node, what comes out, and how it ends.</summary>
public sealed class DataCommandTests
{
    private static readonly byte[] Binary = [0, 255, 10, 13, 27];

    [Fact]
    public async Task Get_PrintsTheValue_ByteForByte()
    {
        var (run, requests) = await AgainstAsync(_ => Samples.Found(Samples.Sibling("t1", ByteString.CopyFrom(Binary))), "get", "b", "k", "--r", "2", "--pr", "all", "--notfound-ok", "false");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Binary, run.Bytes);
        var request = Assert.IsType<GetRequest>(Assert.Single(requests));
        Assert.Equal(("default", "b", "k"), (request.Key.BucketType, request.Key.Bucket.ToStringUtf8(), request.Key.Key_.ToStringUtf8()));
        Assert.Equal((2u, Quorum.Types.Word.All, false), (request.R.Number, request.Pr.Word, request.NotfoundOk));
        Assert.False(request.HasBasicQuorum);
    }

    [Fact]
    public async Task Get_OfSiblings_PrintsEachWithItsTag_AndSaysSo()
    {
        var (run, _) = await AgainstAsync(_ => Two(), "get", "carts", "b", "k");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            """
            --- 1 of 2  t1  2026-09-21T14:13:20.123456Z  text/plain  4 bytes
            book
            --- 2 of 2  t2  2026-09-21T14:13:20.123456Z  deleted  0 bytes

            """,
            run.Output);
        Assert.StartsWith("kv: 2 siblings. --sibling TAG prints one", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_OfOneSibling_PrintsItsValueOnly()
    {
        var (run, _) = await AgainstAsync(_ => Two(), "get", "carts", "b", "k", "--sibling", "t1");
        Assert.Equal((0, "book", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task Get_OfASiblingThatIsNotThere_NamesThoseThatAre()
    {
        var (run, _) = await AgainstAsync(_ => Two(), "get", "carts", "b", "k", "--sibling", "t9");
        Assert.Equal((3, "kv: there is no sibling t9; there is t1, t2\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task GetAsJson_HasContextAndSiblings_AndBinaryInBase64()
    {
        var (run, _) = await AgainstAsync(_ => Samples.Found(Samples.Sibling("t1", ByteString.CopyFromUtf8("häuser")), Samples.Sibling("t2", ByteString.CopyFrom(Binary))), "get", "b", "k", "-o", "json");
        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal("AQL/", json["context"]!.GetValue<string>());
        Assert.Equal("""{"tag":"t1","lastModified":"2026-09-21T14:13:20.123456Z","deleted":false,"value":"h\u00E4user","contentType":"text/plain"}""", json["siblings"]![0]!.ToJsonString());
        Assert.Equal("AP8KDRs=", json["siblings"]![1]!["valueBase64"]!.GetValue<string>());
        Assert.Null(json["siblings"]![1]!["value"]);
    }

    [Fact]
    public async Task Get_OfNothing_EndsWithThree()
    {
        var (run, _) = await AgainstAsync(_ => new GetResponse(), "get", "b", "k");
        Assert.Equal((3, "kv: not found\n", ""), (run.ExitCode, run.Error, run.Output));
    }

    [Fact]
    public async Task Put_SendsAllThatGoesWithTheValue()
    {
        var (run, requests) = await AgainstAsync(
            _ => new PutResponse(),
            "put", "carts", "b", "k", "hello", "--content-type", "application/json", "--meta", "a=1", "--meta", "b=x=y", "--index", "age_int=4",
            "--context", "AQL/", "--w", "quorum", "--dw", "3", "--if-not-modified", "--timeout", "1500ms");
        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
        var put = Assert.IsType<PutRequest>(Assert.Single(requests));
        Assert.Equal(("carts", "hello", "application/json"), (put.Key.BucketType, put.Content.Value.ToStringUtf8(), put.Content.ContentType));
        Assert.Equal([("a", "1"), ("b", "x=y")], put.Content.UserMetadata.Select(pair => (pair.Name, pair.Value)));
        Assert.Equal(("age_int", "4"), (put.Content.Indexes[0].Name, put.Content.Indexes[0].Value));
        Assert.Equal(Samples.Context, put.Context);
        Assert.Equal((Quorum.Types.Word.Quorum, 3u, true), (put.W.Word, put.Dw.Number, put.IfNotModified));
        Assert.InRange(put.TimeoutMilliseconds, 1u, 1500u);
        Assert.False(put.Asis);
    }

    [Fact]
    public async Task Put_AsIs_SaysSo()
    {
        var (run, requests) = await AgainstAsync(_ => new PutResponse(), "put", "b", "k", "hello", "--asis", "--context", "AQL/");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var put = Assert.IsType<PutRequest>(Assert.Single(requests));
        Assert.Equal((true, Samples.Context), (put.Asis, put.Context));
    }

    [Fact]
    public async Task Put_FromStandardInput_SendsItsBytes()
    {
        await using var node = await StubNode.StartAsync(_ => new PutResponse());
        var run = await KvRun.WithAsync(["put", "b", "k", "-", "--endpoint", node.Address], Binary);
        Assert.Equal(0, run.ExitCode);
        var put = Assert.IsType<PutRequest>(Assert.Single(node.Requests));
        Assert.Equal(Binary, put.Content.Value.ToByteArray());
        Assert.Equal("application/octet-stream", put.Content.ContentType);
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("@file")]
    [InlineData("")]
    public async Task Put_OfAValueThatLooksLikeSomethingElse_SendsIt(string value)
    {
        var (run, requests) = await AgainstAsync(_ => new PutResponse(), "put", "b", "k", value);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(value, Assert.IsType<PutRequest>(Assert.Single(requests)).Content.Value.ToStringUtf8());
    }

    [Fact]
    public async Task Put_AfterTwoDashes_TakesAnyValue()
    {
        await using var node = await StubNode.StartAsync(_ => new PutResponse());
        var run = await KvRun.OfAsync("put", "--endpoint", node.Address, "--", "b", "k", "--value");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("--value", Assert.IsType<PutRequest>(Assert.Single(node.Requests)).Content.Value.ToStringUtf8());
    }

    [Fact]
    public async Task Put_WithContextFromGet_ReplacesWhatIsThere_AlsoADelete()
    {
        var (run, requests) = await AgainstAsync(
            request => request is GetRequest ? new GetResponse { TombstoneContext = Samples.Context } : new PutResponse(), "put", "b", "k", "v", "--context-from-get");
        Assert.Equal(0, run.ExitCode);
        Assert.True(Assert.IsType<GetRequest>(requests[0]).HeadOnly);
        Assert.Equal(Samples.Context, Assert.IsType<PutRequest>(requests[1]).Context);
    }

    [Fact]
    public async Task Put_WithAGeneratedKey_PrintsIt()
    {
        var (run, _) = await AgainstAsync(_ => new PutResponse { GeneratedKey = ByteString.CopyFromUtf8("made") }, "put", "b", "v", "--generate-key");
        Assert.Equal((0, "made\n"), (run.ExitCode, run.Output));
    }

    [Theory]
    [InlineData(Error.Types.Code.Unsatisfied, true, 4)]
    [InlineData(Error.Types.Code.Timeout, true, 4)]
    [InlineData(Error.Types.Code.Overload, true, 4)]
    [InlineData(Error.Types.Code.UnknownBucketType, false, 1)]
    [InlineData(Error.Types.Code.MatchFound, false, 1)]
    [InlineData(Error.Types.Code.ObjectTooLarge, false, 1)]
    public async Task Put_ThatTheNodeRefuses_ShowsItsText_AndWhetherToTryAgain(Error.Types.Code code, bool retryable, int expected)
    {
        var error = new Error { Code = code, Message = "because\u001b[2J", Retryable = retryable, Indeterminate = retryable };
        var (run, _) = await AgainstAsync(_ => new PutResponse { Error = error }, "put", "b", "k", "v");
        Assert.Equal((expected, "kv: because\\x1b[2J\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Delete_SendsTheContext()
    {
        var (run, requests) = await AgainstAsync(_ => new DeleteResponse(), "delete", "b", "k", "--context", "AQL/", "--rw", "all", "--node-confirms", "2");
        Assert.Equal((0, ""), (run.ExitCode, run.Output));
        var delete = Assert.IsType<DeleteRequest>(Assert.Single(requests));
        Assert.Equal((Samples.Context, Quorum.Types.Word.All, 2u), (delete.Context, delete.Rw.Word, delete.NodeConfirms.Number));
    }

    [Fact]
    public async Task Delete_OfNothing_EndsWithThree()
    {
        var (run, requests) = await AgainstAsync(_ => new DeleteResponse { NotFound = true }, "delete", "b", "k");
        Assert.Equal((3, "kv: not found: there was nothing to delete\n"), (run.ExitCode, run.Error));
        Assert.False(Assert.IsType<DeleteRequest>(Assert.Single(requests)).HasContext);
    }

    [Fact]
    public async Task List_PrintsAKeyToALine_AndMarksThoseThatAreNoText()
    {
        var (run, requests) = await AgainstAsync(_ => Keys(), "list", "carts", "b");
        Assert.Equal((0, "plain\nbase64:AP8KDRs=\nbase64:YQpi\n"), (run.ExitCode, run.Output));
        Assert.Equal("carts", Assert.IsType<ListKeysRequest>(Assert.Single(requests)).BucketType);
    }

    [Fact]
    public async Task ListAsJson_IsAnArray()
    {
        var (run, _) = await AgainstAsync(_ => Keys(), "list", "b", "-o", "json");
        Assert.Equal("""[{"key":"plain"},{"keyBase64":"AP8KDRs="},{"key":"a\nb"}]""", JsonNode.Parse(run.Output)!.ToJsonString());
    }

    [Fact]
    public async Task List_WithoutABucket_ListsBuckets_NoneToo()
    {
        var (run, requests) = await AgainstAsync(_ => new ListBucketsResponse(), "list", "--type", "carts", "-o", "json");
        Assert.Equal((0, "[]\n"), (run.ExitCode, run.Output));
        Assert.Equal("carts", Assert.IsType<ListBucketsRequest>(Assert.Single(requests)).BucketType);
    }

    [Fact]
    public async Task Names_InBase64_AreSentAsTheirBytes()
    {
        var (_, requests) = await AgainstAsync(_ => new GetResponse(), "get", "Yg==", "AP8KDRs=", "--base64-names");
        var key = Assert.IsType<GetRequest>(Assert.Single(requests)).Key;
        Assert.Equal(("b", ByteString.CopyFrom(Binary)), (key.Bucket.ToStringUtf8(), key.Key_));
    }

    private static GetResponse Two() => Samples.Found(Samples.Sibling("t1", ByteString.CopyFromUtf8("book")), Samples.Sibling("t2", ByteString.Empty, deleted: true));

    private static ListKeysResponse Keys() => new() { Keys = { ByteString.CopyFromUtf8("plain"), ByteString.CopyFrom(Binary), ByteString.CopyFromUtf8("a\nb") } };

    private static async Task<(KvRun Run, IMessage[] Requests)> AgainstAsync(Func<IMessage, IMessage> answer, params string[] arguments)
    {
        await using var node = await StubNode.StartAsync(answer);
        var run = await KvRun.OfAsync([.. arguments, "--endpoint", node.Address]);
        return (run, [.. node.Requests]);
    }
}
