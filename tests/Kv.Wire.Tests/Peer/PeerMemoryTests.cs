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

    private static GrpcPeerTransport Transport(PeerTransportOptions? options = null, RequestMemory? memory = null) => new(
        new PeerIdentity(Alice, () => Cluster), options ?? new PeerTransportOptions(), memory ?? RequestMemory.Unbounded(), TimeProvider.System, new Random(1), NullLogger<GrpcPeerTransport>.Instance);

    private static void Meet(GrpcPeerTransport transport, string address) => transport.SetPeers(new Dictionary<NodeId, string> { [Bob] = address });

    private static Deadline In(TimeSpan left) => Deadline.After(TimeProvider.System, left);

    private static Task<PeerReply> SendAsync(GrpcPeerTransport transport, PeerRequest request) =>
        transport.SendAsync(Bob, request, PeerLane.Request, In(TimeSpan.FromSeconds(20)), TestContext.Current.CancellationToken).AsTask();

    private static PeerRequest.VnodePut Put(int bytes) => new(
        new PartitionId(3), new ObjectKey("default", "bucket", "key"), new byte[bytes], VnodePutKind.Replicate, Durability.Synced);
}
