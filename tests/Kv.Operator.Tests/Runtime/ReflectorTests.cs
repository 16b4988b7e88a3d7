using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class ReflectorTests : IAsyncLifetime
{
    private readonly FakeKubernetes api = new();
    private readonly RecordedTime time = new();
    private readonly OperatorMetrics metrics = new();
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> told = new();
    private Task running = Task.CompletedTask;

    /// <summary>Whether whoever is told of an object fails at it.</summary>
    private Func<JsonObject, bool> failing = _ => false;

    [Fact]
    public async Task List_InPages_TellsOfAll()
    {
        foreach (var name in "abcde")
        {
            api.Put(ResourceKind.Cluster, name.ToString());
        }

        Start();
        await ToldAsync("+a", "+b", "+c", "+d", "+e");
        Assert.Equal(3, api.Lists);
    }

    [Fact]
    public async Task Watch_TellsOfEachChange_ButNotOfBookmarks()
    {
        Start();
        await WatchingAsync();
        api.Bookmark();
        api.Put(ResourceKind.Cluster, "a");
        await ToldAsync("+a");
        api.Remove(ResourceKind.Cluster, "a");
        await ToldAsync("-a");
    }

    [Fact]
    public async Task Stream_ThatEnds_GoesOnWithoutAnotherList()
    {
        api.Put(ResourceKind.Cluster, "a");
        Start();
        await WatchingAsync();
        time.Advance(TimeSpan.FromMinutes(5));
        api.BreakWatches();
        api.Put(ResourceKind.Cluster, "b");
        await ToldAsync("+a", "+b");
        Assert.Equal(1, api.Lists);
    }

    [Fact]
    public async Task Version_ThatIsTooOld_IsListedAnew_AndWhatVanishedIsTold()
    {
        api.Put(ResourceKind.Cluster, "a");
        api.Put(ResourceKind.Cluster, "b");
        Start();
        await WatchingAsync();
        time.Advance(TimeSpan.FromMinutes(5));
        api.BreakWatches(new KubernetesApiException(System.Net.HttpStatusCode.Gone, "too old resource version"));
        api.Remove(ResourceKind.Cluster, "a");
        api.Expire();
        await ToldAsync("+a", "+b", "-a");
        Assert.True(api.Lists >= 2);
    }

    /// <summary>Whoever is told may fail at it: the next list tells it again, and all after that.</summary>
    [Fact]
    public async Task Object_ThatVanished_AndCouldNotBeTold_IsToldByTheNextList()
    {
        foreach (var name in new[] { "a", "b" })
        {
            api.Put(ResourceKind.Cluster, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["labels"] = new JsonObject { ["of"] = name } } });
        }

        var failures = 0;
        failing = item => ObjectKey.Of(item).Name == "a" && !IsThere(ObjectKey.Of(item)) && failures++ == 0;
        Start();
        await WatchingAsync();
        api.VanishUnseen(ResourceKind.Cluster, "a");
        await Poll.UntilAsync(() => told.Contains("-a"), meanwhile: () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.Contains("-a", told);
        await Poll.UntilAsync(() => api.OpenWatches > 0, meanwhile: () => time.Advance(TimeSpan.FromSeconds(1)));
        Assert.True(api.OpenWatches > 0);
    }

    [Fact]
    public async Task Stream_ThatHangsHalfOpen_IsGivenUpByTheWatchdog()
    {
        Start();
        await WatchingAsync();
        var before = api.Watches;
        for (var i = 0; i < 30 && api.Watches == before; i++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.True(api.Watches > before);
    }

    [Fact]
    public async Task Stream_ThatBreaks_IsTakenUpAgain()
    {
        Start();
        await WatchingAsync();
        api.BreakWatches(new IOException("connection reset"));
        await Poll.UntilAsync(() => api.OpenWatches > 0, meanwhile: () => time.Advance(TimeSpan.FromSeconds(1)));
        api.Put(ResourceKind.Cluster, "a");
        await ToldAsync("+a");
    }

    /// <summary>Cleanly, or with the news that the version is too old: a server that does so at once, every time, is asked ever more seldom, and not ten thousand times a second.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stream_ThatEndsAsSoonAsItBegins_IsTakenUpEverMoreSeldom_UntilOneLives(bool isExpired)
    {
        Start();
        for (var i = 1; i <= 7; i++)
        {
            await WatchingAsync();
            api.BreakWatches(isExpired ? new KubernetesApiException(System.Net.HttpStatusCode.Gone, "too old resource version") : null);
            await WaitedAsync(i);
        }

        // A second and up to as much again by chance, doubled each time.
        Assert.All(time.Waits.Zip([1, 2, 4, 8, 16, 30, 30]), pair => Assert.InRange(pair.First.TotalSeconds, pair.Second, 2 * pair.Second));

        await WatchingAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        api.BreakWatches();
        await WatchingAsync();
        api.BreakWatches();
        await WaitedAsync(8);
        Assert.InRange(time.Waits.Last().TotalSeconds, 1, 2);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        metrics.Dispose();
        stop.Dispose();
    }

    private void Start()
    {
        var reflector = new Reflector(api, ResourceKind.Cluster, null, null, time, metrics, NullLogger.Instance, new Random(1));
        running = reflector.RunAsync(Tell, stop.Token);

        void Tell(JsonObject item)
        {
            if (failing(item))
            {
                throw new InvalidOperationException("it cannot be taken");
            }

            told.Enqueue((IsThere(ObjectKey.Of(item)) ? "+" : "-") + ObjectKey.Of(item).Name);
        }
    }

    /// <summary>As whoever is told finds out: it reads the object.</summary>
    private bool IsThere(ObjectKey key) => api.Snapshot().ContainsKey(ResourceKind.Cluster.PathOf(key.Namespace, key.Name));

    /// <summary>Until it has waited so many times in all, the last of them to its end.</summary>
    private async Task WaitedAsync(int times)
    {
        await Poll.UntilAsync(() => time.Waits.Count >= times);
        Assert.Equal(times, time.Waits.Count);
        time.Advance(TimeSpan.FromMinutes(2));
    }

    private async Task WatchingAsync()
    {
        await Poll.UntilAsync(() => api.OpenWatches > 0);
        Assert.True(api.OpenWatches > 0);
    }

    /// <summary>Each at least once; a list tells again of what is known.</summary>
    private async Task ToldAsync(params string[] expected)
    {
        await Poll.UntilAsync(() => expected.All(told.Contains));
        Assert.All(expected, one => Assert.Contains(one, told));
    }

    /// <summary>Remembers what was waited for; not the watchdogs of streams, which have five minutes and more.</summary>
    private sealed class RecordedTime : FakeTimeProvider
    {
        public ConcurrentQueue<TimeSpan> Waits { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime < TimeSpan.FromMinutes(5))
            {
                Waits.Enqueue(dueTime);
            }

            return timer;
        }
    }
}
