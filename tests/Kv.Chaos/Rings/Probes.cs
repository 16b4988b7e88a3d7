using Kv.Chaos.Checks;
using Kv.Chaos.Reports;

namespace Kv.Chaos.Rings;

/// <summary>What a node's metrics port says.</summary>
internal static class Probes
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromMilliseconds(500) }) { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>Null when it is.</summary>
    public static async Task<string?> WhyNotReadyAsync(ChaosNode node)
    {
        try
        {
            using var response = await Http.GetAsync(new Uri($"http://{node.Endpoint(Ports.Metrics)}/readyz"));
            return response.IsSuccessStatusCode ? null : (await response.Content.ReadAsStringAsync()).Trim();
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return "does not answer";
        }
    }

    /// <summary>A sample of all nodes each second, until cancelled, for the timeline and for the check of their queues.</summary>
    public static async Task WatchAsync(ChaosRing ring, Timeline timeline, QueueCheck queues, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await Waits.NextAsync(timer, stop))
        {
            var shown = await Task.WhenAll(ring.Wanted.Where(node => node.IsRunning).Select(node => ShownAsync(node, queues)));
            timeline.Add(new RingSample(
                timeline.Now,
                shown.Sum(one => one?.Hints ?? 0),
                shown.Sum(one => one?.Transfers ?? 0),
                shown.Count(one => one is not null),
                [.. ring.All.Select(node => node.ResidentBytes)]));
        }
    }

    private static async Task<(long Hints, long Transfers)?> ShownAsync(ChaosNode node, QueueCheck queues)
    {
        try
        {
            var shown = new MetricsText(await Http.GetStringAsync(new Uri($"http://{node.Endpoint(Ports.Metrics)}/metrics")));
            queues.Note(node.Name, shown);
            return ((long)shown.Sum("kv_hints"), (long)shown.Sum("kv_transfers_pending"));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }
}
