using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// A load of writes on the pods by Riak's HTTP, and a ledger of those that were acknowledged. Each key is written once; a write that was not acknowledged is
/// forgotten, since nothing was promised. Pods that come and go are followed once a second.
/// </summary>
internal sealed class HttpLoad : IAsyncDisposable
{
    private const int Writers = 6;

    private readonly StorageCluster cluster;
    private readonly string bucket = $"load-{Guid.NewGuid():N}";
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(1) }) { Timeout = TimeSpan.FromSeconds(15) };
    private readonly ConcurrentDictionary<string, string> acknowledged = new();
    private readonly ConcurrentDictionary<string, int> failures = new();
    private readonly CancellationTokenSource stop = new();
    private volatile IReadOnlyList<string> pods;
    private Task running = Task.CompletedTask;
    private int last;
    private int fewestReady = int.MaxValue;

    private HttpLoad(StorageCluster cluster, IReadOnlyList<string> pods) => (this.cluster, this.pods) = (cluster, pods);

    public int Acknowledged => acknowledged.Count;

    /// <summary>The fewest pods that were seen ready at once.</summary>
    public int FewestReady => Volatile.Read(ref fewestReady);

    public static async Task<HttpLoad> StartAsync(StorageCluster cluster)
    {
        var load = new HttpLoad(cluster, await cluster.ReadyPodsAsync());
        Missing.Require(await load.ReachesAsync(load.pods[0]) ? null : $"the load needs the pods' addresses, and {load.pods[0]} cannot be reached from here");
        load.running = Task.WhenAll([load.FollowAsync(), .. Enumerable.Range(0, Writers).Select(load.WriteAsync)]);
        await load.GrowsAsync(200);
        return load;
    }

    /// <summary>Waits until so many more writes were acknowledged: the load goes on.</summary>
    public async Task GrowsAsync(int more)
    {
        var target = Acknowledged + more;
        await cluster.UntilAsync(() => Task.FromResult(Acknowledged >= target), TimeSpan.FromMinutes(1), $"{more} more writes are acknowledged ({Failures()})");
    }

    /// <summary>Ends the load, and reads every acknowledged write back from a node that is not always the same.</summary>
    public async Task AssertNothingLostAsync()
    {
        await stop.CancelAsync();
        await running;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Acknowledged} writes acknowledged; failed: {Failures()}");
        pods = await cluster.ReadyPodsAsync();
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(acknowledged, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, async (write, cancel) =>
        {
            using var answer = await http.GetAsync(Address(write.Key), cancel);
            var value = await answer.Content.ReadAsStringAsync(cancel);
            if (answer.StatusCode != HttpStatusCode.OK || value != write.Value)
            {
                wrong.Add($"{write.Key}: {(int)answer.StatusCode} {value}");
            }
        });
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {Acknowledged} acknowledged writes are lost or cannot be read: {string.Join("; ", wrong.Take(10))}");
    }

    /// <summary>What failed may be sent again as it is: overload, a node that is going, no connection. Anything else is an error that a client cannot hide.</summary>
    public void AssertOnlyRetryableFailures() =>
        Assert.DoesNotContain(failures.Keys, how => how.StartsWith("status ", StringComparison.Ordinal) && !how.StartsWith($"status {(int)HttpStatusCode.ServiceUnavailable}:", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        http.Dispose();
        stop.Dispose();
    }

    private string Failures() => string.Join(", ", failures.Select(failure => $"{failure.Value} × {failure.Key}"));

    private async Task FollowAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            if (await cluster.ReadyPodsAsync() is var now)
            {
                fewestReady = Math.Min(fewestReady, now.Count);
                pods = now.Count > 0 ? now : pods;
            }
        }
    }

    private async Task WriteAsync(int writer)
    {
        while (!stop.IsCancellationRequested)
        {
            var key = $"key-{Interlocked.Increment(ref last)}";
            var value = $"{key} by {writer}";
            try
            {
                using var content = new StringContent(value, Encoding.UTF8, "text/plain");
                using var answer = await http.PutAsync(Address(key), content, CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    acknowledged[key] = value;
                    await Task.Delay(5, CancellationToken.None); // a load and not a flood: the machine runs all nodes
                    continue;
                }
                var why = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                Failed($"status {(int)answer.StatusCode}: {why.ReplaceLineEndings(" ")}");
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                Failed(failure is HttpRequestException { HttpRequestError: var error } ? error.ToString() : "no answer in time");
            }
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private void Failed(string how) => failures.AddOrUpdate(how, 1, (_, count) => count + 1);

    private async Task<bool> ReachesAsync(string pod)
    {
        try
        {
            return (await http.GetStringAsync(new Uri($"http://{pod}:8098/ping"))).Length > 0;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private Uri Address(string key)
    {
        var now = pods;
        return new($"http://{now[(key.GetHashCode(StringComparison.Ordinal) & int.MaxValue) % now.Count]}:8098/types/plain/buckets/{bucket}/keys/{key}");
    }
}
