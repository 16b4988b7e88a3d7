using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Kv.Wire.Peer;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Peer;

public sealed class GrpcPeerTransportTests
{
    private static readonly NodeId Alice = new(0xa11ce);
    private static readonly NodeId Bob = new(0xb0b);
    private static readonly Guid Cluster = Guid.Parse("6f0c6f3e-26a1-4fd4-8f5a-2f6b6a5b7c11");

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_ToAPeer_IsAnsweredWithTheSendersName()
    {
        NodeId sender = default;
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers((from, request, _) =>
        {
            sender = from;
            var stored = ((PeerRequest.VnodePut)request).Object;
            return new ValueTask<PeerReply>(new PeerReply.Object(stored) { DocumentVersion = request.DocumentVersion + 1 });
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);

        var reply = await SendAsync(transport, Put(100) with { DocumentVersion = 7 });

        var found = Assert.IsType<PeerReply.Object>(reply);
        Assert.Equal(Put(100).Object.ToArray(), found.Stored!.Value.ToArray());
        Assert.Equal(8, found.DocumentVersion);
        Assert.Equal(Alice, sender);
    }

    [Fact]
    public async Task Send_ByManyAtOnce_AnswersEachItsOwn()
    {
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, request, _) =>
        {
            var list = (PeerRequest.VnodeList)request;
            if (list.Cursor % 3 == 0)
            {
                await Task.Yield();
            }

            return new PeerReply.ListPage([], list.Cursor);
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);

        await Parallel.ForAsync(0L, 5000, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = None }, async (i, _) =>
        {
            var reply = await SendAsync(transport, new PeerRequest.VnodeList(new PartitionId(0), "default", null, i, 10), i % 10 == 0 ? PeerLane.Bulk : PeerLane.Request);
            Assert.Equal(i, Assert.IsType<PeerReply.ListPage>(reply).NextCursor);
        });
    }

    [Fact]
    public async Task Send_WhileAnotherIsStillHandled_DoesNotWaitForIt()
    {
        var release = new TaskCompletionSource();
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, request, _) =>
        {
            if (request is PeerRequest.VnodeGet)
            {
                await release.Task;
            }

            return new PeerReply.Done();
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);

        var slow = SendAsync(transport, new PeerRequest.VnodeGet(new PartitionId(1), new ObjectKey("default", "b", "k"), false));
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, new PeerRequest.Heartbeat()));
        Assert.False(slow.IsCompleted);
        release.SetResult();
        Assert.IsType<PeerReply.Done>(await slow);
    }

    [Fact]
    public async Task Send_ToASilentPeer_TimesOut()
    {
        var release = new TaskCompletionSource();
        Deadline seen = default;
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, _, deadline) =>
        {
            seen = deadline;
            await release.Task;
            return new PeerReply.Done();
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);

        var reply = await transport.SendAsync(Bob, new PeerRequest.Heartbeat(), PeerLane.Request, In(TimeSpan.FromMilliseconds(200)), None);

        Assert.IsType<PeerReply.TimedOut>(reply);
        Assert.True(seen.Left(TimeProvider.System) <= TimeSpan.FromMilliseconds(200));
        release.SetResult();
    }

    [Fact]
    public async Task Send_PastItsDeadline_IsNotSent()
    {
        await using var transport = Transport();
        Meet(transport, "127.0.0.1:1");
        Assert.IsType<PeerReply.TimedOut>(await transport.SendAsync(Bob, new PeerRequest.Heartbeat(), PeerLane.Request, In(TimeSpan.Zero), None));
    }

    [Fact]
    public async Task Send_CanceledByItsCaller_Throws()
    {
        var release = new TaskCompletionSource();
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, _, _) =>
        {
            await release.Task;
            return new PeerReply.Done();
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);
        using var cancel = new CancellationTokenSource();

        var send = transport.SendAsync(Bob, new PeerRequest.Heartbeat(), PeerLane.Request, In(TimeSpan.FromSeconds(30)), cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await send);
        release.SetResult();
    }

    [Fact]
    public async Task Send_WhereNobodyListens_IsUnreachable()
    {
        await using var transport = Transport();
        Meet(transport, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort()}"));
        Assert.False(Assert.IsType<PeerReply.Unreachable>(await SendAsync(transport, new PeerRequest.Heartbeat())).WasSent);
    }

    [Fact]
    public async Task Send_ToANodeThatIsNoPeer_IsUnreachable()
    {
        await using var transport = Transport();
        Assert.False(Assert.IsType<PeerReply.Unreachable>(await SendAsync(transport, new PeerRequest.Heartbeat())).WasSent);
    }

    [Fact]
    public async Task Send_ToOneself_IsABug()
    {
        await using var transport = Transport();
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await transport.SendAsync(Alice, new PeerRequest.Heartbeat(), PeerLane.Request, In(TimeSpan.FromSeconds(1)), None));
    }

    [Fact]
    public async Task LostStream_AnswersWhatIsUnderWay_AndComesBack()
    {
        var begun = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, request, _) =>
        {
            if (request is PeerRequest.GetDocument)
            {
                begun.TrySetResult();
                await never.Task;
            }

            return new PeerReply.Done();
        }));
        var port = int.Parse(server.Address.Split(':')[1], CultureInfo.InvariantCulture);
        await using var transport = Transport();
        Meet(transport, server.Address);

        var pending = SendAsync(transport, new PeerRequest.GetDocument());
        await begun.Task;
        await server.DisposeAsync();
        Assert.True(Assert.IsType<PeerReply.Unreachable>(await pending).WasSent);

        await using var again = await PeerServer.StartAsync(Bob, Cluster, PeerHandlers.Done, port: port);
        await UntilAsync(async () => await SendAsync(transport, new PeerRequest.Heartbeat()) is PeerReply.Done);
        never.SetResult();
    }

    [Fact]
    public async Task FullQueue_IsOverloadAtOnce()
    {
        // A peer that takes connections and never speaks: nothing leaves the queue.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var transport = Transport(new PeerTransportOptions { QueueMessages = 3, HandshakeTimeout = TimeSpan.FromSeconds(20) });
        Meet(transport, silent.LocalEndpoint.ToString()!);

        var waiting = Enumerable.Range(0, 3).Select(_ => SendAsync(transport, new PeerRequest.Heartbeat())).ToList();
        Assert.IsType<PeerReply.Overloaded>(await SendAsync(transport, new PeerRequest.Heartbeat()));
        Assert.All(waiting, send => Assert.False(send.IsCompleted));
    }

    [Fact]
    public async Task QueueFullOfBytes_IsOverload_ButOneLargeMessageGoesAlone()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var transport = Transport(new PeerTransportOptions { QueueBytes = 1000, HandshakeTimeout = TimeSpan.FromSeconds(20) });
        Meet(transport, silent.LocalEndpoint.ToString()!);

        var large = SendAsync(transport, Put(5000));
        Assert.IsType<PeerReply.Overloaded>(await SendAsync(transport, Put(10)));
        Assert.False(large.IsCompleted);
    }

    [Fact]
    public async Task SlowPeer_IsOverloadInTime_AndTheOthersAreUnharmed()
    {
        var release = new TaskCompletionSource();
        var options = new PeerTransportOptions { InboundMessages = 10 };
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, _, _) =>
        {
            await release.Task;
            return new PeerReply.Done();
        }), options);
        await using var transport = Transport();
        Meet(transport, server.Address);

        var sends = Enumerable.Range(0, 30).Select(_ => SendAsync(transport, new PeerRequest.Heartbeat())).ToList();
        await UntilAsync(() => Task.FromResult(sends.Count(send => send.IsCompleted) == 20));
        release.SetResult();
        var replies = await Task.WhenAll(sends);
        Assert.Equal(10, replies.Count(reply => reply is PeerReply.Done));
        Assert.Equal(20, replies.Count(reply => reply is PeerReply.Overloaded));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task LargeMessages_GoWhole(byte version)
    {
        var options = new PeerTransportOptions { Versions = new PeerVersions(version, version) };
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers((_, request, _) =>
            new ValueTask<PeerReply>(new PeerReply.Object(((PeerRequest.VnodePut)request).Object))), options);
        await using var transport = Transport(options);
        Meet(transport, server.Address);
        var put = Put(20 * 1024 * 1024);

        var reply = Assert.IsType<PeerReply.Object>(await SendAsync(transport, put, PeerLane.Bulk));

        Assert.True(reply.Stored!.Value.Span.SequenceEqual(put.Object.Span));
    }

    [Fact]
    public async Task MessageBeyondTheLimit_IsRefusedInWords()
    {
        var options = new PeerTransportOptions { MaxMessageBytes = 10_000 };
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers((_, _, _) =>
            new ValueTask<PeerReply>(new PeerReply.Object(new byte[20_000]))), options);
        await using var transport = Transport(options);
        Meet(transport, server.Address);

        var sent = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, Put(20_000)));
        var answered = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, new PeerRequest.Heartbeat()));

        Assert.StartsWith("too_large", sent.Reason, StringComparison.Ordinal);
        Assert.StartsWith("too_large", answered.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PeerOfAnotherCluster_RefusesInWords()
    {
        await using var server = await PeerServer.StartAsync(Bob, Guid.Parse("00000000-0000-0000-0000-000000000001"), PeerHandlers.Done);
        await using var transport = Transport();
        Meet(transport, server.Address);

        var reply = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, new PeerRequest.Heartbeat()));

        Assert.StartsWith("wrong_cluster", reply.Reason, StringComparison.Ordinal);
    }

    /// <summary>A ring in the middle of an upgrade, or of its way back.</summary>
    [Theory]
    [InlineData(1, 1, 1, 2)]
    [InlineData(1, 2, 1, 1)]
    [InlineData(1, 2, 2, 3)]
    [InlineData(2, 2, 2, 2)]
    public async Task NodesOfTwoVersions_SpeakTheOneThatBothKnow(byte oldest, byte newest, byte peersOldest, byte peersNewest)
    {
        await using var server = await PeerServer.StartAsync(
            Bob, Cluster, PeerHandlers.Done, new PeerTransportOptions { Versions = new PeerVersions(peersOldest, peersNewest) });
        await using var transport = Transport(new PeerTransportOptions { Versions = new PeerVersions(oldest, newest) });
        Meet(transport, server.Address);

        Assert.IsType<PeerReply.Done>(await SendAsync(transport, Put(100)));
        Assert.IsType<PeerReply.Done>(await SendAsync(transport, Put(100), PeerLane.Bulk));
    }

    [Theory]
    [InlineData(1, 1, 2, 3, "speaks peer protocol version 1, ", " 2 to 3")]
    [InlineData(4, 5, 2, 3, "speaks peer protocol version 4 to 5, ", " 2 to 3")]
    public async Task NodesWithoutACommonVersion_RefuseWithTheNumbers(byte oldest, byte newest, byte peersOldest, byte peersNewest, string asks, string answers)
    {
        await using var server = await PeerServer.StartAsync(
            Bob, Cluster, PeerHandlers.Done, new PeerTransportOptions { Versions = new PeerVersions(peersOldest, peersNewest) });
        await using var transport = Transport(new PeerTransportOptions { Versions = new PeerVersions(oldest, newest) });
        Meet(transport, server.Address);

        var reply = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, new PeerRequest.Heartbeat()));

        Assert.StartsWith("unknown_version", reply.Reason, StringComparison.Ordinal);
        Assert.Contains(asks, reply.Reason, StringComparison.Ordinal);
        Assert.EndsWith(answers, reply.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherNodeAtThePeersAddress_IsRefused()
    {
        await using var server = await PeerServer.StartAsync(new NodeId(0xe7e), Cluster, PeerHandlers.Done);
        await using var transport = Transport();
        Meet(transport, server.Address);

        var reply = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, new PeerRequest.Heartbeat()));

        Assert.StartsWith("wrong_node", reply.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopiedVolume_IsRefused()
    {
        await using var server = await PeerServer.StartAsync(Alice, Cluster, PeerHandlers.Done);
        await using var transport = Transport();

        var reply = Assert.IsType<PeerReply.Refused>(
            await transport.SendAsync(server.Address, new PeerRequest.Identify(), In(TimeSpan.FromSeconds(10)), None));

        Assert.StartsWith("same_node", reply.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SendByAddress_MeetsANodeOfAnotherCluster()
    {
        var member = new Member(Bob, "bob", "", MemberState.Joining, System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty);
        var other = Guid.Parse("00000000-0000-0000-0000-000000000001");
        await using var server = await PeerServer.StartAsync(Bob, other, new PeerHandlers((_, _, _) => new ValueTask<PeerReply>(new PeerReply.Identity(member, other))));
        await using var transport = Transport();

        var reply = Assert.IsType<PeerReply.Identity>(
            await transport.SendAsync(server.Address, new PeerRequest.Identify(), In(TimeSpan.FromSeconds(10)), None));

        Assert.Equal(Bob, reply.Node.Id);
        Assert.Equal(other, reply.ClusterId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData("host:0")]
    [InlineData("host:99999")]
    [InlineData("http://host:80")]
    [InlineData("host:80/path")]
    [InlineData("a b:80")]
    [InlineData("::1:80")]
    [InlineData("[::1:80")]
    public async Task SendByAddress_ThatIsNone_IsRefusedInWords(string address)
    {
        await using var transport = Transport();
        var reply = Assert.IsType<PeerReply.Refused>(await transport.SendAsync(address, new PeerRequest.Identify(), In(TimeSpan.FromSeconds(1)), None));
        Assert.StartsWith("invalid_address", reply.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HandlerThatThrows_AnswersAllTheSame()
    {
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, _, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("a bug");
        }));
        await using var transport = Transport();
        Meet(transport, server.Address);

        var reply = Assert.IsType<PeerReply.Refused>(await SendAsync(transport, new PeerRequest.Heartbeat()));

        Assert.StartsWith("internal", reply.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_AnswersWhatIsUnderWay()
    {
        var replies = new ConcurrentBag<PeerReply>();
        var never = new TaskCompletionSource();
        await using var server = await PeerServer.StartAsync(Bob, Cluster, new PeerHandlers(async (_, _, _) =>
        {
            await never.Task;
            return new PeerReply.Done();
        }));
        var transport = Transport();
        Meet(transport, server.Address);
        var sends = Enumerable.Range(0, 100).Select(async _ => replies.Add(await SendAsync(transport, new PeerRequest.Heartbeat()))).ToList();

        await transport.DisposeAsync();
        await Task.WhenAll(sends);

        Assert.All(replies, reply => Assert.IsType<PeerReply.Unreachable>(reply));
        never.SetResult();
    }

    private static GrpcPeerTransport Transport(PeerTransportOptions? options = null) => new(
        new PeerIdentity(Alice, () => Cluster), options ?? new PeerTransportOptions(), RequestMemory.Unbounded(), TimeProvider.System, new Random(1), NullLogger<GrpcPeerTransport>.Instance);

    private static void Meet(GrpcPeerTransport transport, string address) => transport.SetPeers(new Dictionary<NodeId, string> { [Bob] = address });

    private static Deadline In(TimeSpan left) => Deadline.After(TimeProvider.System, left);

    private static Task<PeerReply> SendAsync(GrpcPeerTransport transport, PeerRequest request, PeerLane lane = PeerLane.Request) =>
        transport.SendAsync(Bob, request, lane, In(TimeSpan.FromSeconds(20)), None).AsTask();

    private static PeerRequest.VnodePut Put(int bytes) => new(
        new PartitionId(3), new ObjectKey("default", "bucket", "key"), Enumerable.Range(0, bytes).Select(i => (byte)i).ToArray(), VnodePutKind.Replicate, Durability.Synced);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
