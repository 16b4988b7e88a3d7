using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kv.Benchmarks.Load;
using Kv.Benchmarks.Targets;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Protos.Admin.V1;

namespace Kv.Benchmarks.AntiEntropy;

/// <summary>
/// How long two vnodes take to find that they are equal, and to find and repair what one of them misses. All keys are of one range, so that each of its three vnodes has them in one tree:
/// the dearest case. The keys that differ are taken from the stopped node's store as if they had never come, with their entries in its trees.
/// </summary>
internal sealed class ExchangeRun(BenchOptions options)
{
    private const int RingSize = 8;
    private const int EqualRuns = 20;
    private static readonly int[] Differences = [100, 1000];
    private static readonly TimeSpan BuildPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public async Task RunAsync()
    {
        // An exchange runs when it is asked for, and memory is shared out among as many stores as there can be.
        var ringOptions = options with
        {
            DataDirectory = Path.Combine(options.DataDirectory, "exchange"),
            RingSize = RingSize,
            Nodes = 3,
            NodeArguments = ["--exchange-interval-seconds", "86400", "--stores", RingSize.ToString(CultureInfo.InvariantCulture)],
        };
        await using var ring = await LocalRing.StartAsync(ringOptions);
        var (partition, nodes) = await PlaceAsync();
        var keys = KeysOf(partition, options.AntiEntropyKeys);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"exchanges of two vnodes that hold keys of {options.ValueBytes} bytes in one tree, as the asking node timed them"));
        Console.WriteLine("| keys in a vnode | keys that differ | found | repaired | ms |");
        Console.WriteLine("|---|---|---|---|---|");
        var filled = 0;
        foreach (var count in new[] { options.AntiEntropyKeys / 10, options.AntiEntropyKeys })
        {
            await using (var target = await ClientTarget.ConnectAsync(ring))
            {
                await new ClosedLoop(target, options).FillAsync(keys[filled..count]);
            }

            filled = count;
            await UntilBuiltAsync(nodes);
            await MeasureEqualAsync(partition, nodes, count);
            foreach (var differing in Differences.Where(differing => differing <= count))
            {
                var lost = keys[..count].Where((_, position) => position % (count / differing) == 0).Take(differing).ToList();
                await ring.WhileStoppedAsync(nodes[2], directory => LostKeys.RemoveAsync(directory, partition, RingSize, lost));
                Print(count, differing, await ExchangeAsync(partition, nodes));
            }
        }
    }

    /// <summary>A partition whose keys have three nodes, and these in the order of the preference list.</summary>
    private static async Task<(PartitionId Partition, int[] Nodes)> PlaceAsync()
    {
        using var channel = LocalRing.AdminChannel(0);
        var cluster = await new Admin.AdminClient(channel).GetClusterAsync(new GetClusterRequest());
        var names = Enumerable.Range(0, 3).Select(LocalRing.NameOf).ToList();
        for (var first = 0; first < RingSize; first++)
        {
            var nodes = Enumerable.Range(first, 3).Select(place => names.IndexOf(cluster.Members[(int)cluster.Owners[place % RingSize]].Name)).ToArray();
            if (nodes.Distinct().Count() == nodes.Length)
            {
                return (new PartitionId(first), nodes);
            }
        }

        throw new InvalidOperationException("no three partitions in a row have three nodes");
    }

    private static List<string> KeysOf(PartitionId first, int count) =>
    [
        .. Enumerable.Range(0, int.MaxValue)
            .Select(ClosedLoop.Key)
            .Where(key => RingHash.FirstPartition(ObjectKey.DefaultType, ClientTarget.Bucket, Encoding.UTF8.GetBytes(key), bucketOnly: false, RingSize) == first)
            .Take(count),
    ];

    /// <summary>Trees that the keys have outgrown are built anew: until no node has built any for a while.</summary>
    private static async Task UntilBuiltAsync(int[] nodes)
    {
        var quiet = Stopwatch.StartNew();
        while (quiet.Elapsed < BuildPause)
        {
            foreach (var node in nodes)
            {
                using var channel = LocalRing.AdminChannel(node);
                var view = await new Admin.AdminClient(channel).GetAntiEntropyAsync(new GetAntiEntropyRequest());
                if (view.Trees.Any(tree => tree.State != HashTrees.Types.State.Built))
                {
                    quiet.Restart();
                }
            }

            await Task.Delay(100);
        }
    }

    private static async Task MeasureEqualAsync(PartitionId partition, int[] nodes, int count)
    {
        // What was left over by the fill, if anything.
        while ((await ExchangeAsync(partition, nodes)).KeysFound > 0)
        {
        }

        var runs = new List<Exchange>();
        for (var run = 0; run < EqualRuns; run++)
        {
            runs.Add(await ExchangeAsync(partition, nodes));
        }

        var times = runs.Select(run => run.MillisecondsTaken).Order().ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {count} | 0 | {runs.Max(run => run.KeysFound)} | {runs.Max(run => run.KeysRepaired)} | {times[times.Length / 2]}, at most {times[^1]}, of {EqualRuns} |"));
    }

    private static void Print(int count, int differing, Exchange exchange) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"| {count} | {differing} | {exchange.KeysFound} | {exchange.KeysRepaired} | {exchange.MillisecondsTaken} |"));

    /// <summary>Has the first vnode's node compare it with the last one's, and gives what the node tells of that.</summary>
    private static async Task<Exchange> ExchangeAsync(PartitionId partition, int[] nodes)
    {
        using var channel = LocalRing.AdminChannel(nodes[0]);
        var admin = new Admin.AdminClient(channel);
        var last = (partition.Number + 2) % RingSize;
        var watch = Stopwatch.StartNew();
        await admin.RepairPartitionAsync(new RepairPartitionRequest { Partition = partition.Number });
        while (watch.Elapsed < Patience)
        {
            var view = await admin.GetAntiEntropyAsync(new GetAntiEntropyRequest());
            if (view.Exchanges.FirstOrDefault(pair => pair.Partition == partition.Number && pair.FirstPartition == partition.Number && pair.PeerPartition == last) is
                { State: Exchange.Types.State.Waiting, MillisecondsSinceEnd: >= 0 and var since } done && since < watch.ElapsedMilliseconds)
            {
                return done;
            }

            await Task.Delay(20);
        }

        throw new InvalidOperationException($"partition {partition} was not compared within {Patience.TotalMinutes} minutes");
    }
}
