using System.Collections.Concurrent;
using System.Globalization;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;
using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>One client at work: draws what to do, does it through its door, and notes in the key's history what it may expect of it.</summary>
internal sealed class Worker(int number, IKvDoor door, TimeSpan interval, Random random, IReadOnlyList<SiblingKey> shared, IReadOnlyList<SingleKey> own, Timeline timeline)
{
    private readonly ConcurrentBag<string> strangers = [];
    private readonly ConcurrentBag<string> unseen = [];
    private readonly ConcurrentQueue<SiblingKey> fresh = [];
    private int writes;

    public IReadOnlyList<SingleKey> Own => own;

    /// <summary>Keys that were written once, by this worker.</summary>
    public IReadOnlyCollection<SiblingKey> Fresh => fresh;

    public IReadOnlyCollection<string> Strangers => strangers;

    /// <summary>Writes that most primaries had acknowledged, and that a later read of most of them did not show.</summary>
    public IReadOnlyCollection<string> Unseen => unseen;

    public async Task RunAsync(CancellationToken stop)
    {
        while (await Waits.ForAsync(interval * (2 * random.NextDouble()), stop))
        {
            try
            {
                await ActAsync();
            }
            catch (DoorException)
            {
                // Counted where it happened; the next one is another operation.
            }
        }
    }

    private Task ActAsync() => random.Next(100) switch
    {
        < 65 => OnSharedAsync(shared[random.Next(shared.Count)]),
        < 90 => OnOwnAsync(own[random.Next(own.Count)]),
        _ => OnFreshAsync(),
    };

    private async Task OnFreshAsync()
    {
        if (!fresh.IsEmpty && random.Next(2) == 0)
        {
            var old = fresh.ElementAt(random.Next(fresh.Count));
            await (random.Next(4) == 0 ? PutAsync(old, new HashSet<string>(), null, PutCondition.NothingThere) : (Task)ReadAsync(old));
            return;
        }

        var key = NewKey();
        fresh.Enqueue(key);
        await PutAsync(key, new HashSet<string>(), null, random.Next(2) == 0 ? PutCondition.NothingThere : PutCondition.None);
    }

    private SiblingKey NewKey()
    {
        var name = NextName("key");
        return new SiblingKey(new ObjectKey(Workload.IsOrdered(writes) ? BucketTypes.Ordered : BucketTypes.Siblings, "fresh", name));
    }

    private async Task OnSharedAsync(SiblingKey key)
    {
        switch (random.Next(100))
        {
            case < 45:
                await ReadAsync(key);
                break;
            case < 80:
                var read = await ReadAsync(key);
                await PutAsync(key, read.Values, read.Context, read.Context is not null && random.Next(3) == 0 ? PutCondition.NotModified : PutCondition.None);
                break;
            case < 88:
                await PutAsync(key, new HashSet<string>(), context: null);
                break;
            case < 95:
                var seen = await ReadAsync(key);
                if (seen is { Context: not null, Values.Count: > 0 })
                {
                    await DeleteAsync(key, seen);
                }

                break;
            default:
                await DeleteBlindlyAsync(key);
                break;
        }
    }

    private async Task<DoorRead> ReadAsync(SiblingKey key)
    {
        var fromPrimaries = IsOfPrimaries();
        var begun = timeline.Now;
        var expected = fromPrimaries ? key.ExpectedOfPrimaries(timeline.ReplicasLost) : [];
        var read = await timeline.TimedAsync(door.Name, "get", () => door.GetAsync(key.Key, fromPrimaries));
        Note(key.Key, key.Strangers(read.Values));
        if (timeline.ReplicasLost < begun)
        {
            foreach (var missing in key.Missing(expected, read.Values))
            {
                unseen.Add($"{key.Key}: a read of most primaries at {Summary.Clock(timeline.Now).Trim()} showed [{string.Join(", ", read.Values)}], and not {missing}, which most had acknowledged");
            }
        }

        return read;
    }

    /// <summary>A door that passes no context on makes a sibling, which replaces nothing.</summary>
    private async Task PutAsync(SiblingKey key, IReadOnlySet<string> seen, string? context, PutCondition condition = PutCondition.None)
    {
        var replaces = context is null || !door.PutsWithContext ? new HashSet<string>() : seen;
        var write = key.Begin(NextName("put"), replaces, isDelete: false);
        var put = new DoorPut(write.Name, context, door.HasTerms ? condition : PutCondition.None, IsOfPrimaries());
        var begun = timeline.Now;
        try
        {
            var where = await timeline.TimedAsync(door.Name, "put", () => door.PutAsync(key.Key, put));
            key.Acknowledge(write, $"{Summary.Clock(timeline.Now).Trim()} by {where}");
            if (put.ToPrimaries)
            {
                key.AcknowledgeOnPrimaries(write, begun);
            }
        }
        catch (DoorException failure) when (failure.IsConditionUnmet)
        {
            key.Refuse(write);
        }
    }

    private bool IsOfPrimaries() => random.Next(2) == 0 && door.HasTerms;

    private async Task DeleteAsync(SiblingKey key, DoorRead seen)
    {
        var write = key.Begin(NextName("delete"), seen.Values, isDelete: true);
        await timeline.TimedAsync(door.Name, "delete", () => door.DeleteAsync(key.Key, seen.Context));
        key.Acknowledge(write, $"{Summary.Clock(timeline.Now).Trim()} by {door.Name}");
    }

    private async Task DeleteBlindlyAsync(SiblingKey key)
    {
        var mayTake = key.BeginBlindDelete(NextName("delete"));
        var isDone = false;
        try
        {
            await timeline.TimedAsync(door.Name, "delete", () => door.DeleteAsync(key.Key, context: null));
            isDone = true;
        }
        finally
        {
            key.EndBlindDelete(mayTake, isDone);
        }
    }

    private async Task OnOwnAsync(SingleKey key)
    {
        var what = random.Next(100);
        var read = await timeline.TimedAsync(door.Name, "get", () => door.GetAsync(key.Key, fromPrimaries: false));
        Note(key.Key, key.Strangers(read.Values));
        if (what < 40)
        {
            return;
        }

        // Where the clock alone decides, a context changes nothing: without one the write is blind, as most writers there are.
        var isBlind = key.Key.BucketType == BucketTypes.Latest || !door.PutsWithContext;
        var context = isBlind ? null : read.Context;
        var isDelete = what >= 92 && (isBlind || context is not null);
        var write = key.Begin(NextName(isDelete ? "delete" : "put"), context is null ? new HashSet<string>() : read.Values, isDelete, timeline.Now);
        await timeline.TimedAsync(door.Name, isDelete ? "delete" : "put", () => isDelete ? door.DeleteAsync(key.Key, context) : (Task)door.PutAsync(key.Key, new DoorPut(write.Name, context)));
        key.Acknowledge(write, timeline.Now);
    }

    private void Note(ObjectKey key, IEnumerable<string> found)
    {
        foreach (var name in found)
        {
            strangers.Add($"{key}: a read showed {name}, which nobody wrote");
        }
    }

    private string NextName(string what) => string.Create(CultureInfo.InvariantCulture, $"{what}-{number}-{++writes}");
}
