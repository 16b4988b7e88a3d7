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
    private const int PbWorkers = 6;
    private const int DataTypeKeys = 12;

    /// <summary>So few that a run's writes to one store are many times what compaction lets be.</summary>
    private const int BulkKeys = 2;
    private const double BulkPerSecond = 4;
    private const double OrderedBulkPerSecond = 2;

    /// <summary>One key of so many is an ordered one.</summary>
    private const int OrderedEvery = 3;

    /// <summary>More than a key with its siblings and what travels with it takes.</summary>
    private const long SmallKeyBytes = 4096;

    private readonly List<SiblingKey> shared =
        [.. Enumerable.Range(0, SharedKeys).Select(i => new SiblingKey(new ObjectKey(IsOrdered(i) ? BucketTypes.Ordered : BucketTypes.Siblings, "carts", FormattableString.Invariant($"cart-{i}"))))];

    private readonly List<CounterKey> counters =
        [.. Enumerable.Range(0, DataTypeKeys).Select(i => new CounterKey(new ObjectKey(BucketTypes.Counters, "visits", FormattableString.Invariant($"site-{i}"))))];

    private readonly List<SetKey> sets =
        [.. Enumerable.Range(0, DataTypeKeys).Select(i => new SetKey(new ObjectKey(BucketTypes.Sets, "tags", FormattableString.Invariant($"page-{i}"))))];

    private readonly List<Worker> workers = [];
    private readonly List<DataTypeWorker> dataTypeWorkers = [];
    private readonly List<SingleKey> bulk =
        [.. Enumerable.Range(0, BulkKeys).Select(i => new SingleKey(new ObjectKey(BucketTypes.Latest, "pictures", FormattableString.Invariant($"picture-{i}"))))];

    private readonly SingleKey orderedBulk = new(new ObjectKey(BucketTypes.OrderedPlain, "pictures", "picture"));

    /// <summary>Those of which a repair together reads all data of a member: of one by hash reads all that is by hash, and each of the ordered ones itself.</summary>
    public static IReadOnlyList<(string Type, string Bucket)> RepairedBuckets { get; } =
        [(BucketTypes.Siblings, "carts"), (BucketTypes.Ordered, "carts"), (BucketTypes.Ordered, "fresh"), (BucketTypes.OrderedPlain, "counters"), (BucketTypes.OrderedPlain, "pictures")];

    public IReadOnlyList<SiblingKey> SiblingKeys => [.. shared, .. workers.SelectMany(worker => worker.Fresh)];

    public IReadOnlyList<SingleKey> SingleKeys => [.. workers.SelectMany(worker => worker.Own), .. bulk, orderedBulk];

    /// <summary>What the keys hold in the end, at most.</summary>
    public long LiveBytes => ((bulk.Count + 1) * (long)BulkWorker.ValueBytes) + ((SiblingKeys.Count + SingleKeys.Count + counters.Count + sets.Count) * SmallKeyBytes);

    public IReadOnlyList<CounterKey> Counters => counters;

    public IReadOnlyList<SetKey> Sets => sets;

    public int Acknowledged => SiblingKeys.Sum(key => key.Acknowledged) + SingleKeys.Sum(key => key.Acknowledged) + counters.Sum(key => key.Acknowledged) + sets.Sum(key => key.Acknowledged);

    /// <summary>What no read should ever have shown, found on the way.</summary>
    public IReadOnlyList<string> Strangers => [.. workers.SelectMany(worker => worker.Strangers), .. dataTypeWorkers.SelectMany(worker => worker.Strangers)];

    /// <summary>What a read should have shown, by the primaries that it and the write before it had asked.</summary>
    public IReadOnlyList<string> Unseen => [.. workers.SelectMany(worker => worker.Unseen)];

    /// <summary>Runs until cancelled, and until what was under way has ended.</summary>
    public Task RunAsync(ClientDoor client, HttpDoor http, PbDoor pb, CommandDoor command, CancellationToken stop)
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

        void AddDataTypes(IDataTypeDoor door, int count, double rate)
        {
            for (var i = 0; i < count; i++)
            {
                dataTypeWorkers.Add(new DataTypeWorker(dataTypeWorkers.Count, door, TimeSpan.FromSeconds(count / rate), new Random(random.Next()), counters, sets, timeline));
            }
        }

        Add(client, ClientWorkers, options.Rate * 0.4);
        Add(http, HttpWorkers, options.Rate * 0.2);
        Add(pb, PbWorkers, options.Rate * 0.2);
        Add(command, 1, CommandsPerSecond);
        AddDataTypes(client, 2, options.Rate * 0.08);
        AddDataTypes(http, 2, options.Rate * 0.06);
        AddDataTypes(pb, 2, options.Rate * 0.06);
        var filler = new BulkWorker(client, TimeSpan.FromSeconds(1 / BulkPerSecond), new Random(random.Next()), bulk, timeline);
        var orderedFiller = new BulkWorker(client, TimeSpan.FromSeconds(1 / OrderedBulkPerSecond), new Random(random.Next()), [orderedBulk], timeline);
        return Task.WhenAll(
        [
            Task.Run(() => orderedFiller.RunAsync(stop), CancellationToken.None),
            Task.Run(() => filler.RunAsync(stop), CancellationToken.None),
            .. workers.Select(worker => Task.Run(() => worker.RunAsync(stop), CancellationToken.None)),
            .. dataTypeWorkers.Select(worker => Task.Run(() => worker.RunAsync(stop), CancellationToken.None)),
        ]);
    }

    /// <summary>Whether the key of this number is an ordered one: of the number alone, so that a seed's draws are the same with and without.</summary>
    public static bool IsOrdered(int number) => number % OrderedEvery == 0;

    private static List<SingleKey> OwnedBy(int worker) =>
    [
        .. from type in new[] { BucketTypes.Plain, BucketTypes.Latest }
           from i in Enumerable.Range(0, OwnKeys)
           select new SingleKey(new ObjectKey(type == BucketTypes.Plain && IsOrdered(i) ? BucketTypes.OrderedPlain : type, "counters", FormattableString.Invariant($"worker-{worker}-{i}"))),
    ];
}
