using Grpc.Core;
using Kv.Kubectl;
using Kv.Kubectl.Connections;
using Kv.Kubectl.Import;
using Kv.Protos.Kv.V1;
using Kv.Protos.Riak;
using Xunit;
using static Kv.Operator.Tests.Kubectl.Import.LiveNode;

namespace Kv.Operator.Tests.Kubectl.Import;

/// <summary>What becomes of one key by what the target says.</summary>
public sealed class KeyCopierTests : IAsyncLifetime
{
    private readonly StateDirectory directory = new();
    private LiveNode source = null!;
    private StubNode target = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (source, target) = (await StartAsync(), await StubNode.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await target.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>What passes away, or is of the cluster rather than of the key, is no refusal of the key.</summary>
    [Theory]
    [InlineData(Error.Types.Code.ObjectTooLarge, "Refused")]
    [InlineData(Error.Types.Code.TooManySiblings, "Refused")]
    [InlineData(Error.Types.Code.InvalidRequest, "Refused")]
    [InlineData(Error.Types.Code.UnknownBucketType, "Failed")]
    [InlineData(Error.Types.Code.NValViolation, "Failed")]
    [InlineData(Error.Types.Code.StorageFailed, "Failed")]
    [InlineData(Error.Types.Code.PrecommitFailed, "Failed")]
    [InlineData(Error.Types.Code.Unsatisfied, "Failed")]
    public async Task RefusalOfAPut(Error.Types.Code code, string fate)
    {
        await source.PutAsync("siblings", "b", "k", "v");
        target.Answer = request => request is GetRequest ? new GetResponse() : new PutResponse { Error = new Error { Code = code, Message = "so it is" } };
        var result = await CopyAsync("siblings", isDataType: false);
        Assert.Equal((fate, "so it is"), (result.Fate.ToString(), result.Reason));
    }

    [Theory]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.Unauthenticated)]
    public async Task WhoMayNotWrite_IsNotToldSoByEachKey(StatusCode code)
    {
        await source.PutAsync("siblings", "b", "k", "v");
        target.Answer = request => request is GetRequest ? new GetResponse() : throw new RpcException(new Status(code, "no"));
        var error = await Assert.ThrowsAsync<AccessException>(() => CopyAsync("siblings", isDataType: false));
        Assert.Equal((ExitCode.Failed, "the cluster says: no"), (error.Code, error.Message));
    }

    /// <summary>Whatever the bucket's properties make of a "not found".</summary>
    [Fact]
    public async Task ACounter_IsMadeOnlyWhereEachPrimarySaysThatThereIsNone()
    {
        await source.UpdateAsync("counters", "b", "k", new DtOp { CounterOp = new CounterOp { Increment = 5 } });
        target.Answer = request => request switch
        {
            FetchDataTypeRequest => new FetchDataTypeResponse(),
            GetRequest => new GetResponse(),
            _ => new UpdateDataTypeResponse(),
        };
        Assert.Equal("Copied", (await CopyAsync("counters", isDataType: true)).Fate.ToString());
        var fetch = Assert.Single(target.Requests.OfType<FetchDataTypeRequest>());
        Assert.Equal((Quorum.Types.Word.All, true, true, true, false), (fetch.Pr.Word, fetch.HasNotfoundOk, fetch.NotfoundOk, fetch.HasBasicQuorum, fetch.BasicQuorum));
        var get = Assert.Single(target.Requests.OfType<GetRequest>());
        Assert.Equal((Quorum.Types.Word.All, true, true, true, false), (get.Pr.Word, get.HasNotfoundOk, get.NotfoundOk, get.HasBasicQuorum, get.BasicQuorum));
    }

    private async Task<KeyResult> CopyAsync(string type, bool isDataType)
    {
        using var riak = new RiakSource(new SourceSettings([source.Pb], null, null, null, TimeSpan.FromSeconds(30)), 0);
        using var caller = new NodeCaller(_ => Task.FromResult<INodeAccess>(new DirectAccess([new NodeAddress("n", target.Address, null)], "the test", null)), TimeSpan.FromSeconds(30));
        using var state = ImportState.Open(directory.Path, [source.Pb], "test", overwrites: false);
        var copier = new KeyCopier(new ImportTarget(caller), state, new BucketId(type, Bytes("b")), isDataType, keepsSiblings: true, overwrites: false);
        return await copier.CopyAsync(riak, Bytes("k"), Cancel);
    }
}
