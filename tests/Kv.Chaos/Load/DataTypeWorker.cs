using System.Collections.Concurrent;
using System.Globalization;
using Kv.Chaos.Reports;
using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>One client at work on counters and sets, which all of them share.</summary>
internal sealed class DataTypeWorker(int number, IDataTypeDoor door, TimeSpan interval, Random random, IReadOnlyList<CounterKey> counters, IReadOnlyList<SetKey> sets, Timeline timeline)
{
    private const int LargestStep = 9;

    private readonly ConcurrentBag<string> strangers = [];
    private int members;

    /// <summary>Members that reads showed and nobody added.</summary>
    public IReadOnlyCollection<string> Strangers => strangers;

    public async Task RunAsync(CancellationToken stop)
    {
        while (await Waits.ForAsync(interval * (2 * random.NextDouble()), stop))
        {
            try
            {
                await (random.Next(2) == 0 ? CountAsync(counters[random.Next(counters.Count)]) : ChangeAsync(sets[random.Next(sets.Count)]));
            }
            catch (DoorException)
            {
                // Counted where it happened; the next one is another operation.
            }
        }
    }

    private async Task CountAsync(CounterKey key)
    {
        if (random.Next(100) < 30)
        {
            await timeline.TimedAsync(door.Name, "get", () => door.CountAsync(key.Key));
            return;
        }

        var amount = random.Next(1, LargestStep + 1) * (random.Next(4) == 0 ? -1 : 1);
        key.Begin(amount);
        await timeline.TimedAsync(door.Name, "update", () => door.IncrementAsync(key.Key, amount));
        key.Acknowledge(amount);
    }

    private async Task ChangeAsync(SetKey key)
    {
        if (random.Next(100) < 50)
        {
            var member = string.Create(CultureInfo.InvariantCulture, $"member-{number}-{++members}");
            key.BeginAdd(member);
            await timeline.TimedAsync(door.Name, "update", () => door.AddAsync(key.Key, member));
            key.AcknowledgeAdd(member);
            return;
        }

        var seen = await timeline.TimedAsync(door.Name, "get", () => door.MembersAsync(key.Key));
        Note(key.Key, key.Strangers(seen.Values));
        if (seen is { Context: { } context, Values.Count: > 0 } && random.Next(2) == 0)
        {
            var removed = seen.Values.Order(StringComparer.Ordinal).ElementAt(random.Next(seen.Values.Count));
            key.BeginRemove(removed);
            await timeline.TimedAsync(door.Name, "update", () => door.RemoveAsync(key.Key, removed, context));
            key.AcknowledgeRemove(removed);
        }
    }

    private void Note(ObjectKey key, IEnumerable<string> found)
    {
        foreach (var member in found)
        {
            strangers.Add($"{key}: a read showed {member}, which nobody added");
        }
    }
}
