using System.Collections.Concurrent;
using Grpc.Core;
using Kv.Client;
using Kv.Protos.Kv.V1;
using Xunit;

namespace Kv.Node.Tests.Client;

/// <summary>A client that is told rings goes on following them, whatever they say.</summary>
public sealed class RingFollowerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("no address: at all")]
    public async Task AMemberWithoutAnAddress_EndsNoFollowing(string address)
    {
        await using var teller = await RingTeller.StartAsync((self, asked) => Ring(asked + 1, self.Endpoint, address), None);
        await using var client = await ConnectAsync(teller);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion >= 5), None);
    }

    [Fact]
    public async Task ARingThatCannotBeUsed_IsPassedOver_AndTheNextOneTaken()
    {
        await using var teller = await RingTeller.StartAsync(
            (self, asked) => asked == 1 ? Ring(asked + 1, "") : Ring(asked + 1, self.Endpoint), None);
        await using var client = await ConnectAsync(teller);
        await TestCluster.UntilAsync(() => Task.FromResult(client.RingVersion >= 3), None);
    }

    [Fact]
    public async Task ARingWithoutAnyAddress_IsNotReady()
    {
        // Who is asked again was not believed the first time; only then does the client's time run out.
        var time = new TimeWithoutTimeouts();
        await using var teller = await RingTeller.StartAsync(
            (_, asked) =>
            {
                if (asked > 0)
                {
                    time.End(Patience);
                }

                return Ring(asked + 1, "", "");
            },
            None);
        var failure = await Assert.ThrowsAsync<KvException>(() => ConnectAsync(teller, time));
        Assert.Contains("no member has an address", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANodeThatTellsNothingNewer_OrFails_IsNotAskedAgainAtOnce()
    {
        // Fails four times, then tells the ring that is known already.
        var asked = 0L;
        using var time = new TimeOfPauses();
        await using var teller = await RingTeller.StartAsync(
            (self, count) =>
            {
                Interlocked.Exchange(ref asked, count);
                return count is 0 or > 4 ? Ring(1, self.Endpoint) : throw new RpcException(new Status(StatusCode.Unavailable, "not now"));
            },
            None);
        await using var client = await ConnectAsync(teller, time);
        var pauses = new List<double>();
        for (var turn = 1; turn <= 6; turn++)
        {
            pauses.Add((await time.PausedAsync(None)).TotalSeconds);
            Assert.Equal(turn, Interlocked.Read(ref asked));
            time.Go();
        }

        Assert.Equal([0.5, 1, 2, 4, 0.5, 0.5], pauses);
    }

    private static Task<KvClusterClient> ConnectAsync(RingTeller teller, TimeProvider? time = null) =>
        KvClusterClient.ConnectAsync(new KvClientOptions { Seeds = [teller.Endpoint], Timeout = Patience, Time = time ?? TimeProvider.System }, None);

    private static GetRingResponse Ring(long version, params string[] addresses)
    {
        var ring = new GetRingResponse { Version = version, ClusterName = "test" };
        ring.Nodes.AddRange(addresses.Select((address, i) => new RingNode { Name = $"node{i}", GrpcEndpoint = address, Up = true }));
        ring.Owners.AddRange(Enumerable.Range(0, 8).Select(partition => (uint)(partition % addresses.Length)));
        return ring;
    }

    /// <summary>The machine's, but that the follower's pauses end when the test says so.</summary>
    private sealed class TimeOfPauses : TimeProvider, IDisposable
    {
        private readonly SemaphoreSlim paused = new(0);
        private volatile Action resume = static () => { };
        private TimeSpan pause;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan || dueTime < TimeSpan.FromSeconds(0.5) || (dueTime > TimeSpan.FromSeconds(4) || dueTime == TimeSpan.FromSeconds(3)))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            (pause, resume) = (dueTime, () => callback(state));
            paused.Release();
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public async Task<TimeSpan> PausedAsync(CancellationToken cancel)
        {
            Assert.True(await paused.WaitAsync(Patience, cancel), "the follower does not pause");
            return pause;
        }

        public void Go() => resume();

        public void Dispose() => paused.Dispose();
    }

    /// <summary>The machine's, but that what is to happen after more than a second happens when the test says so.</summary>
    private sealed class TimeWithoutTimeouts : TimeProvider
    {
        private readonly ConcurrentBag<(TimeSpan After, TimerCallback Callback, object? State)> held = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime <= TimeSpan.FromSeconds(1))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            held.Add((dueTime, callback, state));
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void End(TimeSpan timeout)
        {
            foreach (var (_, callback, state) in held.Where(timer => timer.After == timeout))
            {
                callback(state);
            }
        }
    }
}
