using System.Globalization;
using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>Crowds of clients: half of them write and half of them read or list, each once and without patience.</summary>
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

        var answers = asked.Where(asking => asking.IsCompletedSuccessfully).GroupBy(asking => asking.Result, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal);
        world.Journal.Note($"{crowd.Number,4}   {string.Join(", ", answers.Select(kind => $"{kind.Count()} {kind.Key}"))}");
    }

    /// <summary>How it ended.</summary>
    private async Task<string> AskAsync(Crowd crowd, int place)
    {
        if (world.Serving(crowd.Node + place) is not { } node)
        {
            return OutcomeText.Kind(null);
        }

        world.Calls++;
        var type = world.Plan.Types[crowd.Type];
        var key = new ObjectKey(type.Name, BucketText, "k");
        if (place % 2 == 1)
        {
            return crowd.Lists ? await ListAsync(node, type, place) : OutcomeText.Kind(await node.AskAsync(new KvRequest.Get { Key = key }));
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"crowd{crowd.Number}-{place}");
        var put = new KvRequest.Put { Key = key, Content = new Sibling { Dot = null, Value = System.Text.Encoding.UTF8.GetBytes(name) } };
        return OutcomeText.Kind(await node.AskAsync(type.Rule == BucketRule.Set ? SetUpdates.Of(put, name, null, []) : put));
    }

    private static async Task<string> ListAsync(SimNode node, BucketPlan type, int place)
    {
        var kind = type.IsOrdered && place % 4 == 1 ? QueryKind.Bucket : QueryKind.Listing;
        var answer = await QueryAnswer.AskAsync(node, new BucketName(type.Name, BucketText), kind, pageSize: null);
        return answer is null ? OutcomeText.Kind(null) : answer.Error is null ? "listed" : "not listed";
    }
}
