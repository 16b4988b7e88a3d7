using System.Collections.Concurrent;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Faults;

/// <summary>
/// Members that come, go and are replaced by admin calls, as an operator would make them: in turn the free places join and as many members as joined leave; a member
/// whose volume was lost comes back empty and is given its place anew. One change at a time, under whatever faults there are meanwhile: each is to be done in the end.
/// </summary>
internal sealed class MemberChanges(ChaosRing ring, RingAdmin admin, int membersAtFirst, Timeline timeline, Action<string> say)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);
    private readonly ConcurrentQueue<string> problems = [];
    private Task current = Task.CompletedTask;

    public IReadOnlyCollection<string> Problems => problems;

    /// <summary>Begins to grow or to shrink, if the change before is done.</summary>
    public Task ScaleAsync(IReadOnlyList<int> ranks) =>
        BeginAsync("scale", () => ring.Wanted.Count == membersAtFirst ? GrowAsync() : ShrinkAsync([.. ranks.Select(rank => ring.Wanted[rank])]));

    /// <summary>Begins to lose a member's volume and to replace it, if the change before is done: two volumes lost at once may be more than there are replicas of.</summary>
    public Task LoseVolumeAsync(ChaosNode node) => BeginAsync("lose a volume", () => ReplaceAsync(node));

    /// <summary>What is under way to its end, and back to the members of the beginning in number.</summary>
    public async Task FinishAsync()
    {
        await current;
        if (ring.Wanted.Count > membersAtFirst)
        {
            await ShrinkAsync([.. ring.Wanted.Take(ring.Wanted.Count - membersAtFirst)]);
        }
    }

    private Task BeginAsync(string what, Func<Task> change)
    {
        if (current.IsCompleted)
        {
            current = change();
        }
        else
        {
            say($"left out: {what}: the members change already");
        }

        return Task.CompletedTask;
    }

    private Task ReplaceAsync(ChaosNode node) => ChangeAsync("volume lost, replaced", [node], async () =>
    {
        if (await admin.IdOfAsync(node) is not { } dead)
        {
            // Cut off or dead just now, so that nobody tells which member it is: no volume is lost then.
            return null;
        }

        node.HoldDown();
        await node.GoneAsync();
        node.Volume.Wipe();
        node.ReleaseDown();
        return await admin.ReplaceAsync(dead, node, CancellationToken.None);
    });

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
