using Kv.Chaos.Reports;
using Kv.Chaos.Rings;
using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>The clients and their keys. Each worker goes at a pace of its own, so that nodes that fail are asked no more often than nodes that work.</summary>
internal sealed class Workload(ChaosOptions options, Timeline timeline)
{
    private const int SharedKeys = 200;
    private const int OwnKeys = 12;

    /// <summary>A process for each operation is dear.</summary>
    private const double CommandsPerSecond = 0.5;
    private const int ClientWorkers = 12;
    private const int HttpWorkers = 6;

    private readonly List<SiblingKey> shared =
        [.. Enumerable.Range(0, SharedKeys).Select(i => new SiblingKey(new ObjectKey(BucketTypes.Siblings, "carts", FormattableString.Invariant($"cart-{i}"))))];

    private readonly List<Worker> workers = [];

    public IReadOnlyList<SiblingKey> SiblingKeys => [.. shared, .. workers.SelectMany(worker => worker.Fresh)];

    public IReadOnlyList<SingleKey> SingleKeys => [.. workers.SelectMany(worker => worker.Own)];

    /// <summary>What no read should ever have shown, found on the way.</summary>
    public IReadOnlyList<string> Strangers => [.. workers.SelectMany(worker => worker.Strangers)];

    /// <summary>Runs until cancelled, and until what was under way has ended.</summary>
    public Task RunAsync(IKvDoor client, IKvDoor http, IKvDoor command, CancellationToken stop)
    {
        var random = new Random(options.Seed);
        void Add(IKvDoor door, int count, double rate)
        {
            for (var i = 0; i < count; i++)
            {
                var number = workers.Count;
                workers.Add(new Worker(number, door, TimeSpan.FromSeconds(count / rate), new Random(random.Next()), shared, OwnedBy(number), timeline));
            }
        }

        Add(client, ClientWorkers, options.Rate * 0.75);
        Add(http, HttpWorkers, options.Rate * 0.25);
        Add(command, 1, CommandsPerSecond);
        return Task.WhenAll(workers.Select(worker => Task.Run(() => worker.RunAsync(stop), CancellationToken.None)));
    }

    private static List<SingleKey> OwnedBy(int worker) =>
    [
        .. from type in new[] { BucketTypes.Plain, BucketTypes.Latest }
           from i in Enumerable.Range(0, OwnKeys)
           select new SingleKey(new ObjectKey(type, "counters", FormattableString.Invariant($"worker-{worker}-{i}"))),
    ];
}
