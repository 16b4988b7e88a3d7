using System.Net;
using System.Net.Sockets;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Wire.Peer;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Peer;

/// <summary>Messages that there is no room for, at either end.</summary>
public sealed class PeerMemoryTests
{
    private static readonly NodeId Alice = new(0xa11ce);
    private static readonly NodeId Bob = new(0xb0b);
    private static readonly Guid Cluster = Guid.Parse("6f0c6f3e-26a1-4fd4-8f5a-2f6b6a5b7c11");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task LargeRequest_WithoutRoomAtThePeer_IsOverload_AndTheStreamGoesOn(byte version)
    {
        var options = new PeerTransportOptions { Versions = new PeerVersions(version, version) };
        var memory = new RequestMemory(90 * 1024 * 1024, TimeProvider.System);
        await using var server = await PeerServer.StartAsync(Bob, Cluster, PeerHandlers.Done, options, memory: memory);
        await using var transport = Transport(options);
        Meet(transport, server.Address);

        Assert.True(memory.Replicas.TryTake(memory.MaxObjectBytes));
        Assert.IsType<PeerReply.Overloaded>(await SendAsync(transport, Put((int)memory.MaxObjectBytes)));
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, Put(10_000)));
        memory.Replicas.Release(memory.MaxObjectBytes);
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, Put((int)memory.MaxObjectBytes)));
        Assert.Equal(0, memory.Replicas.Used);
    }

    [Fact]
    public async Task LargeAnswer_WithoutRoomHere_IsOverload_AndTheStreamGoesOn()
    {
        var memory = new RequestMemory(90 * 1024 * 1024, TimeProvider.System);
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers((_, request, _) =>
            new ValueTask<PeerReply>(request is PeerRequest.VnodeGet ? new PeerReply.Object(new byte[memory.MaxObjectBytes]) : new PeerReply.Done())));
        await using var transport = Transport(memory: memory);
        Meet(transport, server.Address);
        var get = new PeerRequest.VnodeGet(new PartitionId(1), new ObjectKey("default", "b", "k"), false);

        Assert.True(memory.Answers.TryTake(2 * memory.MaxObjectBytes));
        Assert.IsType<PeerReply.Overloaded>(await SendAsync(transport, get));
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, new PeerRequest.Heartbeat()));
        memory.Answers.Release(2 * memory.MaxObjectBytes);
        Assert.Equal(memory.MaxObjectBytes, Assert.IsType<PeerReply.Object>(await SendAsync(transport, get)).Stored!.Value.Length);
    }

    [Fact]
    public async Task RequestsThatWaitForAPeer_TakeRoomUntilTheyEnd()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var memory = new RequestMemory(9 * 1024 * 1024, TimeProvider.System);
        await using var transport = Transport(new PeerTransportOptions { HandshakeTimeout = TimeSpan.FromSeconds(20) }, memory);
        Meet(transport, silent.LocalEndpoint.ToString()!);
        using var cancel = new CancellationTokenSource();
        var put = Put((int)memory.MaxObjectBytes);

        var waiting = Enumerable.Range(0, 2).Select(_ => transport.SendAsync(Bob, put, PeerLane.Request, In(TimeSpan.FromSeconds(20)), cancel.Token).AsTask()).ToList();
        Assert.IsType<PeerReply.Overloaded>(await SendAsync(transport, put));
        var heard = SendAsync(transport, new PeerRequest.Heartbeat());
        Assert.False(heard.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
        Assert.Equal(0, memory.Sends.Used);
    }

    [Fact]
    public async Task RequestBeyondTheShare_LeavesRoomForTheSmall()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var memory = new RequestMemory(9 * 1024 * 1024, TimeProvider.System);
        await using var transport = Transport(new PeerTransportOptions { HandshakeTimeout = TimeSpan.FromSeconds(20) }, memory);
        Meet(transport, silent.LocalEndpoint.ToString()!);
        using var cancel = new CancellationTokenSource();

        Task[] sends = [.. new PeerRequest[] { Put((int)memory.Sends.Bytes + 1), Put(2000), new PeerRequest.Heartbeat() }
            .Select(request => transport.SendAsync(Bob, request, PeerLane.Request, In(TimeSpan.FromSeconds(20)), cancel.Token).AsTask())];
        Assert.All(sends, send => Assert.False(send.IsCompleted));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(sends));
        Assert.Equal(0, memory.Sends.Used);
    }

    [Fact]
    public async Task LongRequestThatTimedOut_IsHeldNoLonger_WhileAnotherIsSent()
    {
        using var unblock = new ManualResetEventSlim();
        var options = new PeerTransportOptions { StreamWindowBytes = 64 * 1024, ConnectionWindowBytes = 64 * 1024, KeepAlive = TimeSpan.FromMinutes(1) };

        // A handler that does not come back keeps the stream from being read.
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers((_, _, _) =>
        {
            unblock.Wait();
            return new ValueTask<PeerReply>(new PeerReply.Done());
        }), options);
        await using var transport = Transport(options);
        Meet(transport, server.Address);

        var blocking = SendAsync(transport, new PeerRequest.Heartbeat());
        var sending = SendAsync(transport, Put(3 * 1024 * 1024));
        var held = await SendAndForgetAsync(transport);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (held.IsAlive)
        {
            GC.Collect();
            await Task.Delay(10, patience.Token);
        }

        unblock.Set();
        Assert.IsType<PeerReply.Done>(await blocking);
        Assert.IsType<PeerReply.Done>(await sending);
    }

    [Fact]
    public async Task RequestThatMemoryRunsOutFor_IsAnswered_AndGivesItsRoomBack()
    {
        var memory = new RequestMemory(90 * 1024 * 1024, TimeProvider.System);
        await using var server = await PeerServer.StartAsync(
            Bob, Cluster, new PeerHandlers((_, request, _) => request is PeerRequest.VnodePut ? throw new InsufficientMemoryException() : new ValueTask<PeerReply>(new PeerReply.Done())), memory: memory);
        await using var transport = Transport();
        Meet(transport, server.Address);
        Assert.IsType<PeerReply.Refused>(await SendAsync(transport, Put(10_000)));
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, new PeerRequest.Heartbeat()));
        Assert.Equal(0, memory.Replicas.Used);
    }

    [Fact]
    public async Task WriterThatFails_EndsItsStream_AndNobodyWaits()
    {
        await using var server = await PeerServer.StartAsync(Bob, Cluster, PeerHandlers.Done);
        await using var transport = Transport();
        Meet(transport, server.Address);

        // As where memory runs out for a frame: what is written has no content.
        Assert.IsType<PeerReply.Unreachable>(await SendAsync(transport, new PeerRequest.Forward(null!)));
        PeerReply? reply = null;
        for (var i = 0; i < 100 && reply is not PeerReply.Done; i++)
        {
            reply = await SendAsync(transport, new PeerRequest.Heartbeat());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.IsType<PeerReply.Done>(reply);
    }

    private static async Task<WeakReference> SendAndForgetAsync(GrpcPeerTransport transport)
    {
        var put = Put(3 * 1024 * 1024);
        Assert.IsType<PeerReply.TimedOut>(await transport.SendAsync(Bob, put, PeerLane.Request, In(TimeSpan.FromSeconds(2)), TestContext.Current.CancellationToken));
        return new WeakReference(put);
    }

    private static GrpcPeerTransport Transport(PeerTransportOptions? options = null, RequestMemory? memory = null) => new(
        new PeerIdentity(Alice, () => Cluster), options ?? new PeerTransportOptions(), memory ?? RequestMemory.Unbounded(), TimeProvider.System, new Random(1), NullLogger<GrpcPeerTransport>.Instance);

    private static void Meet(GrpcPeerTransport transport, string address) => transport.SetPeers(new Dictionary<NodeId, string> { [Bob] = address });

    private static Deadline In(TimeSpan left) => Deadline.After(TimeProvider.System, left);

    private static Task<PeerReply> SendAsync(GrpcPeerTransport transport, PeerRequest request) =>
        transport.SendAsync(Bob, request, PeerLane.Request, In(TimeSpan.FromSeconds(20)), TestContext.Current.CancellationToken).AsTask();

    private static PeerRequest.VnodePut Put(int bytes) => new(
        new PartitionId(3), new ObjectKey("default", "bucket", "key"), new byte[bytes], VnodePutKind.Replicate, Durability.Synced);
}
