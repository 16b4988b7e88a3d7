using System.Collections.Concurrent;
using Kv.Operator.Runtime;
using Kv.Operator.Tests.Stubs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

public sealed class ReflectorTests : IAsyncLifetime
{
    private readonly FakeKubernetes api = new();
    private readonly FakeTimeProvider time = new();
    private readonly OperatorMetrics metrics = new();
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<string> told = new();
    private Task running = Task.CompletedTask;

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
        api.Remove(ResourceKind.Cluster, "a");
        await ToldAsync("+a", "-a");
    }

    [Fact]
    public async Task Stream_ThatEnds_GoesOnWithoutAnotherList()
    {
        api.Put(ResourceKind.Cluster, "a");
        Start();
        await WatchingAsync();
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
        api.BreakWatches(new KubernetesApiException(System.Net.HttpStatusCode.Gone, "too old resource version"));
        api.Remove(ResourceKind.Cluster, "a");
        api.Expire();
        await ToldAsync("+a", "+b", "-a");
        Assert.True(api.Lists >= 2);
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
        for (var i = 0; i < 200 && api.OpenWatches == 0; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        api.Put(ResourceKind.Cluster, "a");
        await ToldAsync("+a");
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
        running = reflector.RunAsync((item, gone) => told.Enqueue((gone ? "-" : "+") + ObjectKey.Of(item).Name), stop.Token);
    }

    private async Task WatchingAsync()
    {
        while (api.OpenWatches == 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>In this order, each at least once; a list tells again of what is known.</summary>
    private async Task ToldAsync(params string[] expected)
    {
        for (var i = 0; i < 2000; i++)
        {
            if (expected.All(told.Contains))
            {
                return;
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Equal(expected, told);
    }
}
