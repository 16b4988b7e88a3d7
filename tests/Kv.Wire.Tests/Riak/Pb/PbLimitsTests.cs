using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Kv.Protos.Riak;
using Kv.TestKit;
using Kv.Wire.Riak.Pb;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Kv.Wire.Tests.Riak.Pb;

/// <summary>Bounds: memory that large frames share, clients that stall, and the server's end.</summary>
public sealed class PbLimitsTests
{
    /// <summary>Bytes of a value of which <see cref="Scarce"/> has room for one.</summary>
    private const int Large = 10_000_000;

    private static RequestMemory Scarce => new(150_000_000, TimeProvider.System);

    [Fact]
    public async Task LargeFrame_WithoutRoom_IsOverload_AndTheConnectionGoesOn()
    {
        await using var server = new RiakPbServer { Memory = Scarce, Options = new RiakPbOptions() };
        await server.InitializeAsync();
        using var waiting = await server.ConnectAsync();
        using var client = await server.ConnectAsync();
        var half = PbClient.Frame(11, Put(Large));
        await waiting.SendAsync(half[..5000]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (server.Memory.Clients.Used == 0)
        {
            await Task.Delay(1, patience.Token);
        }

        Assert.Equal("overload", await client.FailAsync(11, Put(Large)));
        Assert.Equal(12, (await client.AskAsync(11, Put(100))).Code);
        await waiting.SendAsync(half[5000..]);
        Assert.Equal(12, (await waiting.ReadAsync())!.Value.Code);
        Assert.Equal(12, (await client.AskAsync(11, Put(Large))).Code);
    }

    [Fact]
    public async Task FrameThatRests_EndsItsConnection_AndGivesItsRoomBack()
    {
        await using var server = new RiakPbServer { Memory = Scarce, Options = new RiakPbOptions { StallTimeout = TimeSpan.FromMilliseconds(200) } };
        await server.InitializeAsync();
        using var stalling = await server.ConnectAsync();
        await stalling.SendAsync(PbClient.Frame(11, Put(Large))[..5000]);
        Assert.Null(await stalling.ReadAsync());
        using var client = await server.ConnectAsync();
        Assert.Equal(12, (await client.AskAsync(11, Put(Large))).Code);
        Assert.Equal(0, server.Memory.Clients.Used);
    }

    [Fact]
    public async Task IdleConnection_IsLeftAlone_AndEndsWithTheServer()
    {
        await using var server = new RiakPbServer { Options = new RiakPbOptions { StallTimeout = TimeSpan.FromMilliseconds(50) } };
        await server.InitializeAsync();
        using var client = await server.ConnectAsync();
        Assert.Equal(2, (await client.AskAsync(1)).Code);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(2, (await client.AskAsync(1)).Code);
        await server.StopAsync();
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task ConnectionWhoseFrameWasPassedOver_IsIdle_AndLeftAlone()
    {
        await using var server = new RiakPbServer { Memory = Scarce, Options = new RiakPbOptions { StallTimeout = TimeSpan.FromMilliseconds(50) } };
        await server.InitializeAsync();
        while (server.Memory.Clients.TryTake(RequestMemory.FreeBytes))
        {
            // Until there is no room, not even for what is small.
        }

        using var client = await server.ConnectAsync();
        var frame = PbClient.Frame(11, Put(2 * RequestMemory.FreeBytes));

        // A beginning that does not tell the length yet, and then all the rest at once.
        await client.SendAsync(frame[..2]);
        await Task.Delay(10, TestContext.Current.CancellationToken);
        await client.SendAsync(frame[2..]);
        Assert.Equal(0, (await client.ReadAsync())!.Value.Code);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(2, (await client.AskAsync(1)).Code);
    }

    [Fact]
    public async Task Request_ThatTheHeapHasNoRoomFor_IsOverload_AndTheConnectionGoesOn()
    {
        await using var alone = await LoneNode.StartAsync();
        var doors = new RiakPbDoors(alone.Node.Client, alone.Node.Admin, alone.Node.State, "node1");
        var log = new LoggedErrors();
        using var loggers = new LoggerFactory([log]);
        using var output = new PbOutput(new Pipe().Writer, new RiakPbOptions(), CancellationToken.None);
        using var full = new NoMemory();
        var dispatch = new PbDispatch(doors, new RiakPbOptions(), RequestMemory.Unbounded(), loggers.CreateLogger<PbDispatch>());
        var reply = await dispatch.HandleAsync(PbCode.GetReq, new ReadOnlySequence<byte>(full.All), new PbSession(output, null));
        Assert.Equal("overload", Assert.IsType<RpbErrorResp>(reply.Message).Errmsg.ToStringUtf8());
        Assert.False(reply.IsLast);
        Assert.Empty(log.Errors);
    }

    private static RpbPutReq Put(int bytes) => new()
    {
        Bucket = ByteString.CopyFromUtf8("limits"),
        Key = ByteString.CopyFromUtf8("k"),
        Content = new RpbContent { Value = ByteString.CopyFrom(new byte[bytes]) },
    };

    /// <summary>Bytes whose reader finds no room on the heap.</summary>
    private sealed class NoMemory : MemoryManager<byte>
    {
        public Memory<byte> All => CreateMemory(10);

        public override Span<byte> GetSpan() => throw new InsufficientMemoryException();

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
        }
    }
}
