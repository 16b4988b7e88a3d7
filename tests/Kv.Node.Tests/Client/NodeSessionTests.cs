using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>What a client makes of nodes that fail, refuse, stall and leave: by nodes that are played.</summary>
public sealed class NodeSessionTests
{
    private static readonly ObjectKey Key = new(ObjectKey.DefaultType, "b", "k");
    private static readonly ObjectKey NoKey = new(ObjectKey.DefaultType, "b"u8.ToArray(), default);

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AWriteOfUnknownFate_IsSentAgainWhereTwiceIsAlike_AndNeverElse()
    {
        var asked = 0;
        await using var teller = await TellerAsync();
        teller.Session = async (reader, writer, call) =>
        {
            while (await reader.MoveNext(call.CancellationToken))
            {
                Interlocked.Add(ref asked, reader.Current.Requests.Count);
                await writer.WriteAsync(RingTeller.Answer(reader.Current, new Error { Code = Error.Types.Code.Timeout, Retryable = true, Indeterminate = true }), call.CancellationToken);
            }
        };
        await using var client = await ConnectAsync(Options(teller) with { MaxAttempts = 3, RetryIndeterminateWrites = true });

        Assert.Equal(3, await TimesAsync(() => client.PutAsync(Key, new KvValue(default), cancel: None).AsTask()));
        Assert.Equal(1, await TimesAsync(() => client.PutAsync(NoKey, new KvValue(default), cancel: None).AsTask()));
        Assert.Equal(1, await TimesAsync(() => client.UpdateDataTypeAsync(Key, DataTypeChange.Increment(1), cancel: None).AsTask()));

        async Task<int> TimesAsync(Func<Task> write)
        {
            var before = asked;
            Assert.True((await Assert.ThrowsAsync<KvException>(write)).IsIndeterminate);
            return asked - before;
        }
    }

    [Theory]
    [InlineData(StatusCode.Unauthenticated)]
    [InlineData(StatusCode.PermissionDenied)]
    public async Task AClientThatIsNotLetIn_IsToldSo(StatusCode status)
    {
        await using var teller = await TellerAsync();
        teller.Session = (_, _, _) => throw new RpcException(new Status(status, "Authentication failed"));
        await using var client = await ConnectAsync(Options(teller));
        for (var attempt = 0; attempt < 2; attempt++)
        {
            AssertDenied(await Assert.ThrowsAsync<KvException>(() => client.PutAsync(Key, new KvValue(default), cancel: None).AsTask()));
        }

        await using var denying = await RingTeller.StartAsync((_, _) => throw new RpcException(new Status(status, "Authentication failed")), None);
        AssertDenied(await Assert.ThrowsAsync<KvException>(() => ConnectAsync(Options(denying))));

        static void AssertDenied(KvException failure)
        {
            Assert.Equal((KvErrorCode.PermissionDenied, false, false), (failure.Code, failure.IsRetryable, failure.IsIndeterminate));
            Assert.Contains("Authentication failed", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AWriteThatIsGivenUpInTheQueue_IsNotSent()
    {
        var mayRead = new TaskCompletionSource();
        var seen = new ConcurrentQueue<string>();
        await using var teller = await TellerAsync();
        teller.Session = async (reader, writer, call) =>
        {
            while (await reader.MoveNext(call.CancellationToken))
            {
                foreach (var request in reader.Current.Requests)
                {
                    seen.Enqueue(request.Put.Key.Key_.ToStringUtf8());
                }

                await writer.WriteAsync(RingTeller.Done(reader.Current), call.CancellationToken);
                await mayRead.Task;
            }
        };
        await using var client = await ConnectAsync(Options(teller));
        await PutAsync("first", 1, None);

        // Longer than what a connection takes unread, so that the next one stays in the queue.
        var big = PutAsync("big", 3 * 1024 * 1024, None);
        using var givenUp = new CancellationTokenSource();
        var queued = PutAsync("queued", 1, givenUp.Token);
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        mayRead.SetResult();
        await big;
        await PutAsync("last", 1, None);
        Assert.Equal(["first", "big", "last"], seen);

        Task PutAsync(string key, int bytes, CancellationToken cancel) =>
            client.PutAsync(new ObjectKey(ObjectKey.DefaultType, "b", key), new KvValue(new byte[bytes]), cancel: cancel).AsTask();
    }

    [Fact]
    public void TheBytesOfAMessage_AreNotTheCallers()
    {
        var (name, value, context) = ("k"u8.ToArray(), "value"u8.ToArray(), "context"u8.ToArray());
        var put = ClientCodec.Put(new ObjectKey(ObjectKey.DefaultType, "b"u8.ToArray(), (ReadOnlyMemory<byte>)name), new KvValue(value), new PutOptions { Context = context });
        var update = DataTypeCodec.Update(Key, DataTypeChange.Map(map => map.Assign("f", (ReadOnlyMemory<byte>)value)), new DataTypeUpdateOptions { Context = context });
        var (sentPut, sentUpdate) = (put.Clone(), update.Clone());
        foreach (var bytes in new[] { name, value, context })
        {
            bytes.AsSpan().Fill((byte)'!');
        }

        Assert.DoesNotContain("!", $"{put.Key.Key_.ToStringUtf8()}{put.Content.Value.ToStringUtf8()}{put.Context.ToStringUtf8()}", StringComparison.Ordinal);
        Assert.Equal("value", put.Content.Value.ToStringUtf8());
        Assert.Equal((sentPut, sentUpdate), (put, update));
        Assert.Equal("value", update.Operation.Map.Updates[0].Assign.ToStringUtf8());
    }

    [Fact]
    public async Task AClientThatWasDisposed_OpensNoSession()
    {
        var sessions = 0;
        await using var teller = await TellerAsync();
        var serve = teller.Session;
        teller.Session = (reader, writer, call) =>
        {
            Interlocked.Increment(ref sessions);
            return serve(reader, writer, call);
        };
        var client = await ConnectAsync(Options(teller));
        await client.PutAsync(Key, new KvValue(default), cancel: None);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PutAsync(Key, new KvValue(default), cancel: None).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await client.ListKeysAsync(ObjectKey.DefaultType, "b"u8.ToArray(), None).GetAsyncEnumerator(None).MoveNextAsync());
        Assert.Equal(1, sessions);
    }

    [Fact]
    public async Task AMemberThatLeaves_AnswersWhatIsUnderWay()
    {
        var (isAsked, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        long version = 0;
        string[] members = [];
        await using var leaving = await RingTeller.StartAsync(Tell, None);
        await using var staying = await RingTeller.StartAsync(Tell, None);
        members = [leaving.Endpoint, staying.Endpoint];
        leaving.Session = async (reader, writer, call) =>
        {
            await reader.MoveNext(call.CancellationToken);
            isAsked.SetResult();
            await mayAnswer.Task;
            await writer.WriteAsync(RingTeller.Done(reader.Current), call.CancellationToken);
        };
        await using var client = await ConnectAsync(Options(staying));
        var put = client.PutAsync(Key, new KvValue(default), cancel: None).AsTask();
        await isAsked.Task.WaitAsync(None);

        members = [staying.Endpoint];

        // A ring is asked for once the sessions are as the one before wants them.
        var known = Interlocked.Read(ref version);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion > known + 2), None);
        mayAnswer.SetResult();
        await put;

        GetRingResponse Tell(RingTeller teller, long asked) => Ring(Interlocked.Increment(ref version), members);
    }

    [Fact]
    public void AnOperation_IsEitherSentOrDropped_AndFreesItsPlaceWhenAllHaveLeftIt()
    {
        using var places = new SemaphoreSlim(0);
        var sent = new PendingOperation(new SessionRequest(), 0, places);
        Assert.True(sent.TrySend());
        Assert.False(sent.TryDrop());
        var dropped = new PendingOperation(new SessionRequest(), 0, places);
        Assert.True(dropped.TryDrop());
        Assert.False(dropped.TrySend());

        dropped.Enter();
        dropped.Leave();
        Assert.Equal(0, places.CurrentCount);
        dropped.Leave();
        Assert.Equal(1, places.CurrentCount);
    }

    private static Task<RingTeller> TellerAsync() => RingTeller.StartAsync((self, asked) => Ring(asked + 1, self.Endpoint), None);

    private static KvClientOptions Options(RingTeller teller) => new() { Seeds = [teller.Endpoint], Timeout = TimeSpan.FromSeconds(20) };

    private static Task<KvClusterClient> ConnectAsync(KvClientOptions options) => KvClusterClient.ConnectAsync(options, None);

    /// <summary>The first of the nodes has all partitions.</summary>
    private static GetRingResponse Ring(long version, params string[] addresses)
    {
        var ring = new GetRingResponse { Version = version, ClusterName = "test" };
        ring.Nodes.AddRange(addresses.Select((address, i) => new RingNode { Name = string.Create(CultureInfo.InvariantCulture, $"node{i}"), GrpcEndpoint = address, Up = true }));
        ring.Owners.AddRange(Enumerable.Repeat(0U, 8));
        return ring;
    }
}
