using System.Collections.Concurrent;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Faults;

/// <summary>
/// Members that come and go by admin calls: in turn, the free places join, and as many members as joined leave. One change at a time, under whatever
/// faults there are meanwhile.
/// </summary>
internal sealed class Scaling(ChaosRing ring, RingAdmin admin, int membersAtFirst, Timeline timeline, Action<string> say)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);
    private readonly ConcurrentQueue<string> problems = [];
    private Task current = Task.CompletedTask;

    public IReadOnlyCollection<string> Problems => problems;

    /// <summary>Begins the next change, if the one before is done.</summary>
    public Task BeginAsync(IReadOnlyList<int> ranks)
    {
        if (current.IsCompleted)
        {
            current = ring.Wanted.Count == membersAtFirst ? GrowAsync() : ShrinkAsync([.. ranks.Select(rank => ring.Wanted[rank])]);
        }

        return Task.CompletedTask;
    }

    /// <summary>What is under way to its end, and back to the members of the beginning in number.</summary>
    public async Task FinishAsync()
    {
        await current;
        if (ring.Wanted.Count > membersAtFirst)
        {
            await ShrinkAsync([.. ring.Wanted.Take(ring.Wanted.Count - membersAtFirst)]);
        }
    }

    private async Task GrowAsync()
    {
        var joining = ring.All.Where(node => !node.IsWanted).ToList();
        await ChangeAsync("join", joining, async () =>
        {
            joining.ForEach(node => node.Want());
            return await admin.GrowAsync(joining, CancellationToken.None);
        });
    }

    private Task ShrinkAsync(List<ChaosNode> leaving) => ChangeAsync("leave", leaving, async () =>
    {
        var problem = await admin.ShrinkAsync(leaving, CancellationToken.None);
        if (problem is not null)
        {
            return problem;
        }

        foreach (var node in leaving)
        {
            node.Unwant();
            problem ??= await node.StopAsync(StopPatience);
            node.Volume.Wipe();
        }

        return problem;
    });

    private async Task ChangeAsync(string what, List<ChaosNode> nodes, Func<Task<string?>> change)
    {
        var names = string.Join(", ", nodes.Select(node => node.Name));
        var record = timeline.Begin(nameof(FaultKind.Scale), what, [.. nodes.Select(node => node.Slot)]);
        say($"{what}: {names}");
        var problem = await change();
        if (problem is not null)
        {
            problems.Enqueue($"{what} of {names}: {problem}");
        }

        record.To = timeline.Now;
        say(problem is null ? $"done: {what}: {names}" : $"FAILED: {what}: {names}: {problem}");
    }
}
