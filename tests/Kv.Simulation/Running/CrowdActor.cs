using System.Globalization;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;

namespace Kv.Simulation.Running;

/// <summary>Crowds of clients: half of them write and half of them read, each once and without patience.</summary>
internal sealed class CrowdActor(SimWorld world)
{
    private const string BucketText = "crowd";

    private const int MostRequests = 120;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Between two looks at the queues while a crowd is there.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    public async Task RunAsync(Crowd crowd)
    {
        var requests = Math.Min(4 * world.Plan.QueueBound, MostRequests);
        var asked = Enumerable.Range(0, requests).Select(place => AskAsync(crowd, place)).ToList();
        for (var end = world.Now + Patience; world.Now < end && !asked.TrueForAll(asking => asking.IsCompleted); await world.DelayAsync(Interval))
        {
            foreach (var node in world.Cluster.Up)
            {
                QueueChecker.Check(node, world.Journal);
            }
        }

        var answers = asked.Where(asking => asking.IsCompletedSuccessfully).GroupBy(asking => OutcomeText.Kind(asking.Result), StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal);
        world.Journal.Note($"{crowd.Number,4}   {string.Join(", ", answers.Select(kind => $"{kind.Count()} {kind.Key}"))}");
    }

    private async Task<KvOutcome?> AskAsync(Crowd crowd, int place)
    {
        if (world.Serving(crowd.Node + place) is not { } node)
        {
            return null;
        }

        world.Calls++;
        var type = world.Plan.Types[crowd.Type];
        var key = new ObjectKey(type.Name, BucketText, "k");
        if (place % 2 == 1)
        {
            return await node.AskAsync(new KvRequest.Get { Key = key });
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"crowd{crowd.Number}-{place}");
        var put = new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(name) } };
        return await node.AskAsync(type.Rule == BucketRule.Set ? SetUpdates.Of(put, name, null, []) : put);
    }
}
