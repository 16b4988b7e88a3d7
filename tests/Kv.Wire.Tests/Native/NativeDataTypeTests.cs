using System.Net;
using Google.Protobuf;
using Grpc.Net.Client;
using Kv.Protos.Kv.V1;
using Kv.TestKit;
using Kv.Wire.Access;
using Kv.Wire.Native;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Native;

/// <summary>Data types in `kv.v1`, by call and in a session: what each operation makes, contexts, and each refusal's code and text.</summary>
public sealed class NativeDataTypeTests : IAsyncLifetime
{
    private LoneNode alone = null!;
    private KvService service = null!;
    private WebApplication app = null!;
    private GrpcChannel channel = null!;
    private Protos.Kv.V1.Kv.KvClient client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What is refused, how, and in which words.</summary>
    public static TheoryData<string, UpdateDataTypeRequest, Error.Types.Code, string> Refusals => new()
    {
        { "no key", new UpdateDataTypeRequest { Operation = Count("1") }, Error.Types.Code.InvalidRequest, "the key is missing" },
        { "no bucket", new UpdateDataTypeRequest { Key = new Key { BucketType = "sets", Key_ = Bytes("k") }, Operation = Count("1") }, Error.Types.Code.InvalidRequest, "the bucket is empty" },
        { "no operation", Update("sets", "k", null), Error.Types.Code.InvalidRequest, "the operation is missing" },
        { "an empty operation", Update("sets", "k", new DataTypeOperation()), Error.Types.Code.InvalidRequest, "the operation is missing" },
        { "an unknown type", Update("nowhere", "k", Count("1")), Error.Types.Code.UnknownBucketType, "there is no active bucket type `nowhere`" },
        { "a type without a data type", Update("siblings", "k", Count("1")), Error.Types.Code.InvalidRequest, "the bucket type has no data type" },
        { "another data type", Update("sets", "k", Count("1")), Error.Types.Code.InvalidRequest, "Operation type is counter but  bucket type is set." },
        { "a damaged context", With(Update("sets", "k", Added("a")), update => update.Context = Bytes("noise")), Error.Types.Code.InvalidRequest, "" },
        { "n_val 0", With(Update("sets", "k", Added("a")), update => update.NVal = 0), Error.Types.Code.InvalidRequest, "n_val must be at least 1" },
        { "w above n", With(Update("sets", "k", Added("a")), update => update.W = new Quorum { Number = 9 }), Error.Types.Code.NValViolation, "a quorum or n_val above the bucket's n_val of 3" },
        { "an increment that is no number", Update("counters", "k", Count("1.5")), Error.Types.Code.InvalidRequest, "an increment is no integer of at most 4096 digits" },
        { "an increment without end", Update("counters", "k", Count(new string('9', 4098))), Error.Types.Code.InvalidRequest, "an increment is no integer of at most 4096 digits" },
        { "a removal of what is not there", Update("sets", "k", Removed("x")), Error.Types.Code.NotPresent, "there is no <<\"x\">> to remove" },
        { "a removal of a field that is not there", Update("maps", "k", Map([], [Name("f", DataTypeKind.Flag)])), Error.Types.Code.NotPresent, "there is no {<<\"f\">>,riak_dt_od_flag} to remove" },
        { "a field that is a gset", Update("maps", "k", Map([Of("f", new DataTypeOperation { Gset = new Members() })])), Error.Types.Code.InvalidRequest, "a field is a counter, set, register, flag or map" },
        { "a removal of a hll", Update("maps", "k", Map([], [Name("f", DataTypeKind.Hll)])), Error.Types.Code.InvalidRequest, "a field is a counter, set, register, flag or map" },
        { "a removal of no kind", Update("maps", "k", Map([], [Name("f", DataTypeKind.Unspecified)])), Error.Types.Code.InvalidRequest, "a field is a counter, set, register, flag or map" },
        { "a field without an operation", Update("maps", "k", Map([Of("f", new DataTypeOperation())])), Error.Types.Code.InvalidRequest, "the operation is missing" },
        { "maps too deep", Update("maps", "k", Nested(Core.DataTypes.DataTypeOperation.MaxDepth + 1)), Error.Types.Code.InvalidRequest, "maps lie in maps more than 45 deep" },
    };

    public async ValueTask InitializeAsync()
    {
        alone = await LoneNode.StartAsync();
        var memory = RequestMemory.Unbounded();
        var options = new NativeOptions();
        var access = new AccessControl(alone.Node.State, [], NullLogger<AccessControl>.Instance);
        service = new KvService(alone.Node.Client, alone.Node.Admin, alone.Node.State, new RingView(alone.Node.State), options, memory, access, TimeProvider.System, NullLogger<KvService>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddKvService(service, options, access);
        app = builder.Build();
        app.MapKvService(memory, options);
        await app.StartAsync();
        channel = GrpcChannel.ForAddress(app.Urls.Single());
        client = new Protos.Kv.V1.Kv.KvClient(channel);
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        service.Stop();
        await app.DisposeAsync();
        service.Dispose();
        await alone.DisposeAsync();
    }

    [Theory, MemberData(nameof(Refusals))]
    public async Task Refusal_HasItsCodeAndText_ByCallAndInASession(string what, UpdateDataTypeRequest request, Error.Types.Code code, string text)
    {
        foreach (var response in new[] { await client.UpdateDataTypeAsync(request, cancellationToken: Cancel), (await InSessionAsync(new SessionRequest { Id = 7, UpdateDataType = request })).UpdateDataType })
        {
            Assert.True(response.Error is { } error && error.Code == code && (text.Length == 0 || error.Message == text), $"{what}: {response}");
            Assert.Null(response.Value);
            Assert.True(response.GeneratedKey.IsEmpty);
        }
    }

    [Fact]
    public async Task Fetch_OfWhatIsNotThere_HasAKindAndNoValue_AndIsRefusedWhereThereIsNoDataType()
    {
        var fetched = await FetchAsync("maps", "absent");
        Assert.Equal((DataTypeKind.Map, null, true, null), (fetched.Kind, fetched.Value, fetched.Context.IsEmpty, fetched.Error));
        Assert.Equal(Error.Types.Code.UnknownBucketType, (await FetchAsync("nowhere", "k")).Error.Code);
        Assert.Equal("the bucket type has no data type", (await FetchAsync("siblings", "k")).Error.Message);
        Assert.Equal("the key is empty", (await FetchAsync("sets", "")).Error.Message);
    }

    [Fact]
    public async Task Counter_CountsBeyond64Bits_AndHasNoContext()
    {
        await DoAsync(Update("counters", "c", Count("9223372036854775807")));
        await DoAsync(Update("counters", "c", Count("9223372036854775807")));
        var updated = await DoAsync(With(Update("counters", "c", Count("-1")), update => update.ReturnBody = true));
        Assert.Equal(("18446744073709551613", true), (updated.Value.Counter, updated.Context.IsEmpty));
        var fetched = await FetchAsync("counters", "c");
        Assert.Equal((DataTypeKind.Counter, "18446744073709551613", true), (fetched.Kind, fetched.Value.Counter, fetched.Context.IsEmpty));
    }

    [Fact]
    public async Task Set_RemovalByContextSparesWhatItHadNotSeen()
    {
        await DoAsync(Update("sets", "s", Added("b", "a")));
        var seen = (await FetchAsync("sets", "s")).Context;
        await DoAsync(Update("sets", "s", Added("a")));
        var left = await DoAsync(With(Update("sets", "s", Removed("a", "b")), update => (update.Context, update.ReturnBody) = (seen, true)));
        Assert.Equal(["a"], left.Value.Set.Members_.Select(member => member.ToStringUtf8()));
        Assert.False(left.Context.IsEmpty);
        await DoAsync(Update("sets", "s", Removed("a")));
        Assert.Empty((await FetchAsync("sets", "s")).Value.Set.Members_);
    }

    [Fact]
    public async Task Map_HoldsEachKindOfField_Nests_AndLosesWhatIsRemoved()
    {
        var change = Map([
            Of("x", Added("m")), Of("x", Count("7")), Of("x", new DataTypeOperation { Flag = true }), Of("x", new DataTypeOperation { Assign = ByteString.CopyFrom(0, 255) }),
            Of("in", Map([Of("f", new DataTypeOperation { Flag = false })])),
        ]);
        await DoAsync(Update("maps", "m", change));
        var fetched = await FetchAsync("maps", "m");
        var fields = fetched.Value.Map.Fields;
        Assert.Equal(["in Map", "x Counter", "x Register", "x Flag", "x Set"], fields.Select(field => $"{field.Field.ToStringUtf8()} {field.ValueCase}"));
        Assert.False(fields[0].Map.Fields.Single().Flag);
        Assert.Equal(("7", true, "m"), (fields[1].Counter, fields[3].Flag, fields[4].Set.Members_.Single().ToStringUtf8()));
        Assert.Equal([0, 255], fields[2].Register.ToByteArray());

        await DoAsync(With(Update("maps", "m", Map([], [Name("x", DataTypeKind.Set), Name("in", DataTypeKind.Map)])), update => update.Context = fetched.Context));
        Assert.Equal(["Counter", "Register", "Flag"], (await FetchAsync("maps", "m")).Value.Map.Fields.Select(field => field.ValueCase.ToString()));
    }

    [Fact]
    public async Task MapsAsDeepAsTheyMayBe_GoThroughASession()
    {
        var updated = await InSessionAsync(new SessionRequest { Id = 1, UpdateDataType = With(Update("maps", "deep", Nested(Core.DataTypes.DataTypeOperation.MaxDepth)), update => update.ReturnBody = true) });
        var value = updated.UpdateDataType.Value;
        var depth = 0;
        for (; value.ValueCase == DataTypeValue.ValueOneofCase.Map; value = value.Map.Fields.Single())
        {
            depth++;
        }

        Assert.Equal((Core.DataTypes.DataTypeOperation.MaxDepth, "1"), (depth, value.Counter));
        Assert.Equal(DataTypeKind.Map, (await InSessionAsync(new SessionRequest { Id = 2, FetchDataType = new FetchDataTypeRequest { Key = Key("maps", "deep") } })).FetchDataType.Kind);
    }

    [Fact]
    public async Task GrowOnlySetAndHyperLogLog_TakeMembers_AndAKeyIsMadeWhereNoneIsGiven()
    {
        await DoAsync(Update("gsets", "g", new DataTypeOperation { Gset = new Members { Members_ = { Bytes("b"), Bytes("a"), Bytes("b") } } }));
        Assert.Equal(["a", "b"], (await FetchAsync("gsets", "g")).Value.Gset.Members_.Select(member => member.ToStringUtf8()));
        var made = await DoAsync(Update("hlls", "", new DataTypeOperation { Hll = new Members { Members_ = { Bytes("b"), Bytes("a"), Bytes("b") } } }));
        var fetched = await FetchAsync("hlls", made.GeneratedKey.ToStringUtf8());
        Assert.Equal((DataTypeKind.Hll, 2ul), (fetched.Kind, fetched.Value.Hll));
    }

    private static Key Key(string type, string key) => new() { BucketType = type, Bucket = Bytes("b"), Key_ = Bytes(key) };

    private static UpdateDataTypeRequest Update(string type, string key, DataTypeOperation? operation) => new() { Key = Key(type, key), Operation = operation };

    private static DataTypeOperation Count(string amount) => new() { Increment = amount };

    private static DataTypeOperation Added(params string[] members) => new() { Set = new SetChange { Adds = { members.Select(Bytes) } } };

    private static DataTypeOperation Removed(params string[] members) => new() { Set = new SetChange { Removes = { members.Select(Bytes) } } };

    private static DataTypeOperation Map(DataTypeOperation[] updates, FieldName[]? removes = null) => new() { Map = new MapChange { Updates = { updates }, Removes = { removes ?? [] } } };

    private static DataTypeOperation Of(string field, DataTypeOperation operation)
    {
        operation.Field = Bytes(field);
        return operation;
    }

    private static DataTypeOperation Nested(int maps) => maps == 0 ? Count("1") : Map([Of("m", Nested(maps - 1))]);

    private static FieldName Name(string name, DataTypeKind kind) => new() { Name = Bytes(name), Kind = kind };

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }

    private async Task<FetchDataTypeResponse> FetchAsync(string type, string key) => await client.FetchDataTypeAsync(new FetchDataTypeRequest { Key = Key(type, key) }, cancellationToken: Cancel);

    private async Task<UpdateDataTypeResponse> DoAsync(UpdateDataTypeRequest request)
    {
        var response = await client.UpdateDataTypeAsync(request, cancellationToken: Cancel);
        Assert.Null(response.Error);
        return response;
    }

    private async Task<SessionResponse> InSessionAsync(SessionRequest request)
    {
        using var session = client.Session(cancellationToken: Cancel);
        await session.RequestStream.WriteAsync(new SessionRequests { Requests = { request } }, Cancel);
        await session.RequestStream.CompleteAsync();
        Assert.True(await session.ResponseStream.MoveNext(Cancel));
        var response = session.ResponseStream.Current.Responses.Single();
        Assert.Equal(request.Id, response.Id);
        return response;
    }
}
