using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Xunit;

namespace Kv.EndToEnd.Kubernetes;

/// <summary>
/// A load on the pods by Riak's HTTP, and a ledger of what was acknowledged: new keys, and keys that their one writer overwrites and deletes with the context of its last write. A new key whose write was
/// not acknowledged is forgotten, since nothing was promised; of one whose overwrite or delete was not, before and after are right, and it is left alone. Pods that come and go are followed once a second.
/// </summary>
internal sealed class HttpLoad : IAsyncDisposable
{
    private const int Writers = 6;
    private const int ReadAttempts = 60;
    private const string ContextHeader = "X-Riak-Vclock";

    private readonly StorageCluster cluster;
    private readonly string bucket = $"load-{Guid.NewGuid():N}";
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(1) }) { Timeout = TimeSpan.FromSeconds(15) };
    private readonly ConcurrentDictionary<string, string?[]> allowed = new();
    private readonly ConcurrentDictionary<string, int> failures = new();
    private readonly CancellationTokenSource stop = new();
    private volatile IReadOnlyList<string> pods;
    private Task running = Task.CompletedTask;
    private int last;
    private int acknowledged;
    private int fewestReady = int.MaxValue;

    private HttpLoad(StorageCluster cluster, IReadOnlyList<string> pods) => (this.cluster, this.pods) = (cluster, pods);

    /// <summary>Writes of all kinds.</summary>
    public int Acknowledged => Volatile.Read(ref acknowledged);

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

    /// <summary>
    /// Ends the load, and reads every key from all of its owners and nobody else (PR and R are all of them, so that no fallback counts): what they have together is what was acknowledged
    /// last, and what was deleted is gone. The reads come by a node that is not always the same.
    /// </summary>
    public async Task AssertNothingLostAsync()
    {
        await stop.CancelAsync();
        await running;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Acknowledged} writes acknowledged; failed: {Failures()}");
        pods = await cluster.ReadyPodsAsync();
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(allowed, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, async (key, cancel) =>
        {
            var (status, value) = await ReadFromOwnersAsync(key.Key, cancel);
            var isRight = status switch
            {
                HttpStatusCode.OK => key.Value.Contains(value),
                HttpStatusCode.NotFound => key.Value.Contains(null),
                _ => false,
            };
            if (!isRight)
            {
                wrong.Add($"{key.Key}: {(int)status} {value}, not {string.Join(" or ", key.Value.Select(one => one ?? "nothing"))}");
            }
        });
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {allowed.Count} keys, of {Acknowledged} acknowledged writes, are lost, are back, or cannot be read: {string.Join("; ", wrong.Take(10))}");
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
        var random = new Random(writer);
        var own = new List<OwnKey>();
        while (!stop.IsCancellationRequested)
        {
            var what = random.Next(10);
            var isDone = await (what < 6 || own.Count == 0 ? PutNewAsync(own) : ChangeAsync(own, random.Next(own.Count), isDelete: what == 9));
            await Task.Delay(isDone ? 25 : 50, CancellationToken.None); // a load and not a flood: the machine runs all nodes
        }
    }

    private async Task<bool> PutNewAsync(List<OwnKey> own)
    {
        var (key, value) = ($"key-{Interlocked.Increment(ref last)}", "the first");
        if (await SentAsync(HttpMethod.Put, key, value, context: null) is not { } context)
        {
            return false;
        }

        allowed[key] = [value];
        own.Add(new OwnKey(key, context, Writes: 1));
        return true;
    }

    private async Task<bool> ChangeAsync(List<OwnKey> own, int which, bool isDelete)
    {
        var key = own[which];
        own.RemoveAt(which);
        var value = isDelete ? null : $"the {key.Writes + 1}th";
        allowed[key.Name] = [.. allowed[key.Name], value];
        if (await SentAsync(isDelete ? HttpMethod.Delete : HttpMethod.Put, key.Name, value, key.Context) is not { } context)
        {
            return false;
        }

        allowed[key.Name] = [value];
        if (!isDelete)
        {
            own.Add(new OwnKey(key.Name, context, key.Writes + 1));
        }

        return true;
    }

    /// <summary>The context afterwards, of a delete empty; null where the write was not acknowledged.</summary>
    private async Task<string?> SentAsync(HttpMethod method, string key, string? value, string? context)
    {
        try
        {
            using var request = new HttpRequestMessage(method, Address(key, "returnbody=true"));
            request.Content = value is null ? null : new StringContent(value, Encoding.UTF8, "text/plain");
            if (context is not null)
            {
                request.Headers.Add(ContextHeader, context);
            }

            using var answer = await http.SendAsync(request, CancellationToken.None);
            if (answer.IsSuccessStatusCode)
            {
                Interlocked.Increment(ref acknowledged);
                return value is null ? "" : answer.Headers.GetValues(ContextHeader).Single();
            }

            var why = await answer.Content.ReadAsStringAsync(CancellationToken.None);
            Failed($"status {(int)answer.StatusCode}: {why.ReplaceLineEndings(" ")}");
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            Failed(failure is HttpRequestException { HttpRequestError: var error } ? error.ToString() : "no answer in time");
        }

        return null;
    }

    /// <summary>An owner that is just coming back is waited for.</summary>
    private async Task<(HttpStatusCode Status, string Value)> ReadFromOwnersAsync(string key, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var answer = await http.GetAsync(Address(key, "pr=all&r=all"), cancel);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == ReadAttempts)
            {
                return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel));
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
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

    /// <summary>A key that has a value, and who alone writes it.</summary>
    private sealed record OwnKey(string Name, string Context, int Writes);

    private Uri Address(string key, string options)
    {
        var now = pods;
        return new($"http://{now[(key.GetHashCode(StringComparison.Ordinal) & int.MaxValue) % now.Count]}:8098/types/plain/buckets/{bucket}/keys/{key}?{options}");
    }
}
