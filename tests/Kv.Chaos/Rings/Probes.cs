using System.Globalization;
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

    /// <summary>A sample of all nodes each second, until cancelled.</summary>
    public static async Task WatchAsync(ChaosRing ring, Timeline timeline, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await Waits.NextAsync(timer, stop))
        {
            var shown = await Task.WhenAll(ring.Wanted.Where(node => node.IsRunning).Select(ShownAsync));
            timeline.Add(new RingSample(
                timeline.Now,
                shown.Sum(one => one?.Hints ?? 0),
                shown.Sum(one => one?.Transfers ?? 0),
                shown.Count(one => one is not null),
                [.. ring.All.Select(node => node.ResidentBytes)]));
        }
    }

    private static async Task<(long Hints, long Transfers)?> ShownAsync(ChaosNode node)
    {
        try
        {
            var text = await Http.GetStringAsync(new Uri($"http://{node.Endpoint(Ports.Metrics)}/metrics"));
            return (Sum(text, "kv_hints"), Sum(text, "kv_transfers_pending"));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>Over all labels. Lines are `name{labels} value [time]`.</summary>
    private static long Sum(string text, string name)
    {
        var sum = 0.0;
        foreach (var line in text.Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is '{' or ' '))
        {
            var rest = line[(line.LastIndexOf('}') + 1)..].Trim();
            var value = rest.StartsWith(name, StringComparison.Ordinal) ? rest[name.Length..].Trim() : rest;
            sum += double.Parse(value.Split(' ')[0], CultureInfo.InvariantCulture);
        }

        return (long)sum;
    }
}
