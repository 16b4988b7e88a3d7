using Kv.Simulation.Plans;
using Kv.Simulation.Running;

namespace Kv.Simulation.Checkers;

/// <summary>
/// What queries give. While faults run: in order, nothing twice, and nothing that no write ever gave a reason for. At rest: exactly what the objects say that every replica holds.
/// </summary>
internal sealed class QueryChecker(SimWorld world)
{
    /// <summary>At rest a query is answered within this time: listings that nobody went on with hold their places for a minute.</summary>
    private static readonly TimeSpan MostRefusing = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private static readonly int?[] PageSizes = [null, 1, 3];

    public void Check(BucketPlan type, QueryKind kind, QueryAnswer answer)
    {
        var possible = QueryAnswer.Expected(kind, Shown(type, key => key.History.Writes.Select(write => write.Name), _ => false)).ToHashSet();
        foreach (var match in answer.Matches.Where(match => !possible.Contains(match)))
        {
            world.Journal.Violation($"{type.Name}: {kind} gives {match}, which no write can have made");
        }

        for (var place = 1; place < answer.Matches.Count; place++)
        {
            if (!QueryAnswer.IsBefore(kind, answer.Matches[place - 1], answer.Matches[place]))
            {
                world.Journal.Violation($"{type.Name}: {kind} gives {answer.Matches[place]} behind {answer.Matches[place - 1]}");
            }
        }

        if (answer.Matches.Distinct().Count() < answer.Matches.Count)
        {
            world.Journal.Violation($"{type.Name}: {kind} gives something twice: [{string.Join(", ", answer.Matches)}]");
        }
    }

    /// <summary>At rest, when all keys were read.</summary>
    public async Task FinishAsync()
    {
        foreach (var type in world.Plan.Types)
        {
            foreach (var kind in Enum.GetValues<QueryKind>().Where(kind => kind == QueryKind.Listing || type.IsOrdered))
            {
                await FinishAsync(type, kind);
            }
        }
    }

    private async Task FinishAsync(BucketPlan type, QueryKind kind)
    {
        for (var end = world.Now + MostRefusing; ; await world.DelayAsync(Interval))
        {
            var node = world.Serving(world.Random.Next(world.Cluster.Nodes.Length))!;
            var answer = await QueryAnswer.AskAsync(node, type.Bucket, kind, PageSizes[world.Random.Next(PageSizes.Length)]);
            if (answer is { Error: null })
            {
                Check(type, kind, answer);
                Compare(type, kind, answer);
                return;
            }

            if (world.Now > end)
            {
                world.Journal.Violation($"{type.Name}: at rest, {kind} at {node.Name} gives {(answer is null ? "no answer" : answer.Error)}");
                return;
            }
        }
    }

    /// <summary>What ends meanwhile may show or not; and so may all that ends, where clocks do not agree.</summary>
    private void Compare(BucketPlan type, QueryKind kind, QueryAnswer answer)
    {
        var lives = world.Writes.Lifetimes;
        var needed = QueryAnswer.Expected(kind, Shown(type, key => key.LastShown.Where(write => type.TtlSeconds is null || lives.Holds(write)), key => key.IsEmptySet)).ToHashSet();
        var allowed = type.TtlSeconds is null || lives.ClocksAgree ? QueryAnswer.Expected(kind, Shown(type, key => key.LastShown, key => key.IsEmptySet)).ToHashSet() : [.. answer.Matches];
        if (!needed.IsSubsetOf(answer.Matches) || !allowed.IsSupersetOf(answer.Matches))
        {
            world.Journal.Violation($"{type.Name}: at rest, {kind} gives [{string.Join(", ", answer.Matches)}] where there is [{string.Join(", ", allowed)}]");
        }
    }

    private IEnumerable<(string Key, bool IsThere, IEnumerable<string> Writes)> Shown(BucketPlan type, Func<TrackedKey, IEnumerable<string>> writes, Func<TrackedKey, bool> isThereAnyway) =>
        from key in world.Writes.Keys
        where key.Type == type
        let shown = writes(key).ToList()
        select (System.Text.Encoding.UTF8.GetString(key.Key.Key.Span), shown.Count > 0 || isThereAnyway(key), shown.AsEnumerable());
}
