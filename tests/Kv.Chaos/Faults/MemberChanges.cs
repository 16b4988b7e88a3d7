using System.Collections.Concurrent;
using Kv.Chaos.Machines;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;

namespace Kv.Chaos.Faults;

/// <summary>
/// Members that come, go and are replaced by admin calls, as an operator would make them: in turn the free places join and as many members as joined leave; a member
/// whose volume was lost comes back empty and is given its place anew; a partition whose files rotted is rebuilt, and a member that does not start for rot is replaced. One change at a time, under whatever faults there are meanwhile: each is to be done in the end.
/// </summary>
internal sealed class MemberChanges(ChaosRing ring, RingAdmin admin, int membersAtFirst, Timeline timeline, Action<string> say)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan TellPatience = TimeSpan.FromSeconds(30);
    private readonly ConcurrentQueue<string> problems = [];
    private Task current = Task.CompletedTask;

    public IReadOnlyCollection<string> Problems => problems;

    /// <summary>Begins to grow or to shrink, if the change before is done.</summary>
    public Task ScaleAsync(IReadOnlyList<int> ranks) =>
        BeginAsync("scale", () => ring.Wanted.Count == membersAtFirst ? GrowAsync() : ShrinkAsync([.. ranks.Select(rank => ring.Wanted[rank])]));

    /// <summary>Begins to lose a member's volume and to replace it, if the change before is done: two volumes lost at once may be more than there are replicas of.</summary>
    public Task LoseVolumeAsync(ChaosNode node) => BeginAsync("lose a volume", () => ReplaceAsync(node));

    /// <summary>Begins to have a file of a stopped member rot and its partition rebuilt or itself replaced, if the change before is done, for the same reason.</summary>
    /// <param name="seed">Of what rots.</param>
    public Task RotAsync(ChaosNode node, int seed) => BeginAsync("bit rot", () => RotAsync(node, new Random(seed)));

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

    private async Task ReplaceAsync(ChaosNode node)
    {
        if (await ToldAsync("lose a volume", node, () => admin.IdOfAsync(node)) is not { } dead)
        {
            return;
        }

        await ChangeAsync(FaultKind.LoseVolume, "volume lost, replaced", [node], () => WipeAndReplaceAsync(node, dead));
    }

    private async Task<string?> WipeAndReplaceAsync(ChaosNode node, string dead)
    {
        node.HoldDown();
        await node.GoneAsync();
        node.Look();
        node.ReleaseRefusing();
        node.Volume.Wipe();
        timeline.ReplicasLost = timeline.Now;
        node.ReleaseDown();
        return await admin.ReplaceAsync(dead, node, CancellationToken.None);
    }

    private async Task RotAsync(ChaosNode node, Random random)
    {
        if (await ToldAsync("bit rot", node, () => admin.OwnedByAsync(node)) is { } owned && await ToldAsync("bit rot", node, () => admin.IdOfAsync(node)) is { } id)
        {
            await ChangeAsync(FaultKind.BitRot, "bit rot, mended", [node], () => RotAndMendAsync(node, id, owned, random));
        }
    }

    /// <summary>What a node says of itself. Null where it is cut off, dead or starting for so long that the change is left out.</summary>
    private async Task<T?> ToldAsync<T>(string what, ChaosNode node, Func<Task<T?>> ask)
        where T : class
    {
        T? told = null;
        var silence = await Waits.UntilNoneAsync(
            async () =>
            {
                told = await ask();
                return told is null ? $"left out: {what}: {node.Name} does not say who it is" : null;
            },
            TellPatience,
            CancellationToken.None);
        if (silence is not null)
        {
            say(silence);
        }

        return told;
    }

    private async Task<string?> RotAndMendAsync(ChaosNode node, string id, IReadOnlySet<int> owned, Random random)
    {
        // Until the damage is found the node may acknowledge writes of the partition, which go with it.
        var lostBefore = timeline.ReplicasLost;
        timeline.ReplicasLost = double.PositiveInfinity;
        var problem = await node.HoldStoppedAsync(StopPatience);
        var rot = BitRot.Strike(node.Volume.Data, owned, random);
        if (rot is null)
        {
            say($"left out: bit rot: {node.Name} has no file that may rot yet");
            timeline.ReplicasLost = lostBefore;
            node.ReleaseDown();
            return problem;
        }

        say($"rotten: {rot.File} at offset {rot.Offset}");
        if (rot.Partition is { } partition)
        {
            node.Rotten.Add(partition);
            node.ReleaseDown();
            problem ??= await admin.FoundAsync(node, rot, partition, say);
            timeline.ReplicasLost = timeline.Now;
            return problem ?? await admin.RebuildAsync(node, partition);
        }

        node.HoldRefusing(rot.File);
        var linesBefore = File.ReadLines(node.LogFile).Count();
        node.ReleaseDown();
        problem ??= await RefusedAsync(node, rot, linesBefore);
        var notReplaced = await WipeAndReplaceAsync(node, id);
        return problem ?? notReplaced;
    }

    /// <summary>Waits until a node has ended at its start and told what rotted, with its file, in what it logged behind so many lines. What went wrong, or null.</summary>
    private async Task<string?> RefusedAsync(ChaosNode node, BitRot rot, int linesBefore)
    {
        var told = "";
        var problem = await Waits.UntilNoneAsync(
            () =>
            {
                told = File.ReadLines(node.LogFile).Skip(linesBefore).LastOrDefault(line => line.Contains(rot.File, StringComparison.Ordinal) && line.Contains("damaged", StringComparison.Ordinal)) ?? "";
                var isLeft = rot.MayBeDeletedUnread && !File.Exists(rot.File);
                return Task.FromResult((told.Length > 0 && node.Refusals > 0) || isLeft ? null : $"{node.Name} does not end with what rotted, {rot.File} at {rot.Offset}");
            },
            RefusalPatience,
            CancellationToken.None);
        if (problem is not null || told.Length == 0)
        {
            say(problem ?? $"{rot.File} is gone: it was not needed any more");
            return problem;
        }

        say($"found by {node.Name}: {told}");
        return told.Contains("offset", StringComparison.Ordinal) ? null : $"{rot.File} rotted at {rot.Offset}, and what is told is {told}";
    }

    private async Task GrowAsync()
    {
        var joining = ring.All.Where(node => !node.IsWanted).ToList();
        await ChangeAsync(FaultKind.Scale, "join", joining, async () =>
        {
            joining.ForEach(node => node.Want());
            return await admin.GrowAsync(joining, CancellationToken.None);
        });
    }

    private Task ShrinkAsync(List<ChaosNode> leaving) => ChangeAsync(FaultKind.Scale, "leave", leaving, async () =>
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

    private async Task ChangeAsync(FaultKind kind, string what, List<ChaosNode> nodes, Func<Task<string?>> change)
    {
        var names = string.Join(", ", nodes.Select(node => node.Name));
        var record = timeline.Begin(kind.ToString(), what, [.. nodes.Select(node => node.Slot)]);
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
