using System.Collections.Concurrent;
using System.Globalization;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Checks;

/// <summary>No queue of a node holds more than its bound, by what the node's metrics say at any moment that it was asked.</summary>
internal sealed class QueueCheck
{
    private readonly ConcurrentDictionary<(string Node, string Queue), (double Depth, double Limit)> fullest = [];
    private readonly ConcurrentDictionary<string, bool> asked = [];
    private readonly ConcurrentDictionary<(string Node, string Queue), bool> unbounded = [];

    public IReadOnlyList<string> Problems =>
    [
        .. fullest.Where(one => one.Value.Depth > one.Value.Limit).OrderBy(one => one.Key)
            .Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key.Node} had {one.Value.Depth} in {one.Key.Queue}, which may hold {one.Value.Limit}")),
        .. unbounded.Keys.Order().Select(one => $"{one.Node} told of {one.Queue} without its bound"),
        .. asked.Keys.Except(fullest.Keys.Select(one => one.Node)).Order(StringComparer.Ordinal).Select(node => $"{node} told of no queue"),
        .. asked.IsEmpty ? ["no node was asked"] : Array.Empty<string>(),
    ];

    /// <summary>The queue that came nearest to its bound, for people.</summary>
    public string Fullest => fullest.IsEmpty
        ? "no queue was seen"
        : fullest.MaxBy(one => one.Value.Depth / one.Value.Limit) is var (key, value)
            ? string.Create(CultureInfo.InvariantCulture, $"of {fullest.Keys.Select(one => one.Queue).Distinct().Count()} queues the fullest was {key.Queue} of {key.Node}: {value.Depth} of {value.Limit}")
            : "";

    public void Note(string node, MetricsText shown)
    {
        var limits = shown.By("kv_queue_limit", "queue");
        var depths = shown.By("kv_queue_depth", "queue");
        if (shown.Sum("kv_ring_version") > 0 || depths.Count > 0)
        {
            asked[node] = true;
        }

        // One that is about to open has no queues yet, and one that stops has none any more, at any moment of the answer.
        if (depths.Count == 0 || limits.Count == 0)
        {
            return;
        }

        foreach (var (queue, depth) in depths)
        {
            if (!limits.TryGetValue(queue, out var limit))
            {
                unbounded[(node, queue)] = true;
                continue;
            }

            var now = (Depth: depth, Limit: limit);
            fullest.AddOrUpdate((node, queue), now, (_, before) => now.Depth > now.Limit || now.Depth * before.Limit > before.Depth * now.Limit ? now : before);
        }
    }
}
