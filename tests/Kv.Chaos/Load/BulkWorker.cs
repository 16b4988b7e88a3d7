using System.Globalization;
using Kv.Chaos.Reports;

namespace Kv.Chaos.Load;

/// <summary>One client that writes long values over the same few keys again and again: what it wrote is a hundred times what there is, which disks have to show in the end.</summary>
internal sealed class BulkWorker(ClientDoor door, TimeSpan interval, Random random, IReadOnlyList<SingleKey> own, Timeline timeline)
{
    /// <summary>As long as values may be without being cut in pieces.</summary>
    public const int ValueBytes = 256 * 1024;

    private int writes;

    public async Task RunAsync(CancellationToken stop)
    {
        while (await Waits.ForAsync(interval * (2 * random.NextDouble()), stop))
        {
            var key = own[random.Next(own.Count)];
            var write = key.Begin(string.Create(CultureInfo.InvariantCulture, $"bulk-{++writes}"), new HashSet<string>(), isDelete: false, timeline.Now);
            try
            {
                await timeline.TimedAsync(door.Name, "bulk put", () => door.PutAsync(key.Key, new DoorPut(PaddedValue.Of(write.Name, ValueBytes), null)));
                key.Acknowledge(write, timeline.Now);
            }
            catch (DoorException)
            {
                // Counted where it happened; the next one is another operation.
            }
        }
    }
}
