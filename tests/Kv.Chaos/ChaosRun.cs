using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Kv.Chaos.Checks;
using Kv.Chaos.Faults;
using Kv.Chaos.Load;
using Kv.Chaos.Machines;
using Kv.Chaos.Reports;
using Kv.Chaos.Rings;
using Kv.Client;
using Kv.Protos.Admin.V1;

namespace Kv.Chaos;

/// <summary>One run: a ring, a load, faults, healing, and then whether every promise was kept.</summary>
internal sealed class ChaosRun(ChaosOptions options, IReadOnlyList<FaultKind> kinds)
{
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan EqualPatience = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan CompactPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);

    private readonly Timeline timeline = new();
    private readonly DocumentCheck document = new();
    private readonly QueueCheck queues = new();
    private readonly DotCheck dots = new();
    private readonly IndexCheck index = new();

    /// <summary>Returns the verdicts, after it has written them where the options say. Cancelled, it heals and checks what there is.</summary>
    public async Task<IReadOnlyList<Verdict>> RunAsync(CancellationToken stop)
    {
        using var lifeline = new Lifeline();
        using var ring = new ChaosRing(options, Say);
        using var admin = new RingAdmin(ring);
        using var ended = new CancellationTokenSource();
        Evidence.Clear(options.Report);
        await ring.CreateAsync();
        var supervising = ring.SuperviseAsync(ended.Token);
        var watching = Probes.WatchAsync(ring, timeline, queues, ended.Token);
        var telling = Task.CompletedTask;
        try
        {
            var members = ring.All.Take(options.Nodes).ToList();
            members.ForEach(node => node.Want());
            await admin.FormAsync(members, stop);
            telling = document.WatchAsync(ring, admin, ended.Token);
            Say($"a ring of {options.Nodes} nodes");
            return await TryAsync(ring, admin, stop);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(supervising, watching, telling);
        }
    }

    private async Task<IReadOnlyList<Verdict>> TryAsync(ChaosRing ring, RingAdmin admin, CancellationToken stop)
    {
        var pb = new NodePicker(() => [.. ring.Wanted.Select(node => node.Endpoint(Ports.RiakPb))]);
        var http = new NodePicker(() => [.. ring.Wanted.Select(node => node.Endpoint(Ports.RiakHttp))]);
        var grpc = new NodePicker(() => [.. ring.Wanted.Select(node => node.Endpoint(Ports.Grpc))]);
        await using var connection = await KvClusterClient.ConnectAsync(
            new KvClientOptions { Seeds = [.. ring.All.Select(node => node.Endpoint(Ports.Grpc))], Timeout = TimeSpan.FromSeconds(5) }, CancellationToken.None);
        var client = new ClientDoor(connection, dots);
        using var httpDoor = new HttpDoor(http);
        using var pbDoor = new PbDoor(pb, dots);
        var workload = new Workload(options, timeline);
        var changes = new MemberChanges(ring, admin, options.Nodes, timeline, Say);
        var faults = new FaultRunner(ring, changes, timeline, Say);
        var schedule = FaultSchedule.Draw(options.Seed, options.Minutes * 60, options.Nodes, kinds);

        using (var loadEnds = new CancellationTokenSource())
        {
            var load = workload.RunAsync(client, httpDoor, pbDoor, new CommandDoor(options.KvBinary, grpc, index), loadEnds.Token);
            admin.FaultsBegin();
            await faults.RunAsync(schedule, stop);
            admin.FaultsEnd();
            Say("all faults are over; the load ends");
            await loadEnds.CancelAsync();
            await load;
            timeline.LoadEnded = timeline.Now;
        }

        var begun = timeline.Now;
        await changes.FinishAsync();
        var settled = await SettledAsync(ring, admin);
        Say(settled is null ? string.Create(CultureInfo.InvariantCulture, $"at rest after {timeline.Now - begun:0} s") : $"NOT at rest: {settled}");
        var unequal = await EqualAsync(ring, admin);
        Say(unequal is null ? string.Create(CultureInfo.InvariantCulture, $"replicas are alike, and no key was touched, after {timeline.Now - begun:0} s") : $"replicas NOT alike: {unequal}");
        await index.AskAsync([.. workload.SiblingKeys.Select(key => key.Key), .. workload.SingleKeys.Select(key => key.Key)], httpDoor, ring.Wanted.Count);
        var data = new DataCheck(workload, client);
        var lost = await data.RunAsync(faults.ClockError);
        Say($"{data.KeysRead} keys read from all of their owners, {data.KeysFound} hold something");
        var again = await SettledAsync(ring, admin);
        var disks = await DisksAsync(await OwnedAsync(ring, admin), workload.LiveBytes);
        var figures = FactsOf(ring, workload, data);
        var stops = await StopAllAsync(ring);
        if (lost.Count > 0)
        {
            await Evidence.KeepAsync(ring.All, options.Report);
            Say("what the nodes had on their disks is kept in the report, for the one who looks into it");
        }

        await dots.ReadAsync(ring.All.Select(node => (node.Name, node.Volume.Data)));
        List<string> facts = [.. figures, queues.Fullest, $"{dots.Seen} dots and tags of them; in the end {dots.Siblings} siblings with dots in all stores, {dots.OrderedSiblings} of them ordered records", $"{index.Entries} index entries shown by all members together"];
        return Conclude(
            [
                new Verdict("clients of all kinds got through, so that what follows says something", Silent()),
                new Verdict("no acknowledged write is lost, no delete comes back, siblings are kept; read from all owners of each key", lost),
                new Verdict("no read ever showed what nobody wrote, or a put whose condition did not hold", workload.Strangers),
                new Verdict("a read of most primaries shows the writes that most primaries acknowledged before it", workload.Unseen),
                new Verdict("after healing the ring comes to rest by itself: members, agreement, transfers, hints", Problems(settled, again)),
                new Verdict("after healing replicas become alike by themselves: equal hash trees, and each key on all of its owners before anybody reads it", [.. Problems(unequal), .. data.Incomplete.Select(key => $"{key} was not on every owner")]),
                new Verdict("indexes show each value and each key that is there, once, and nothing else", index.Problems(data.Held)),
                new Verdict("no dot names two writes: by what clients read, and by all stores in the end", dots.Problems),
                new Verdict("no queue of a node passes its bound", queues.Problems),
                new Verdict("the cluster document never forks, and every partition has an owner", document.Problems),
                new Verdict("members join, leave and are replaced under faults; rot is found, told with its place, and mended", [.. changes.Problems]),
                new Verdict("no node ended by itself, and each stops cleanly when asked", [.. ring.All.SelectMany(node => node.Unexplained), .. faults.Problems, .. stops]),
                new Verdict("no error in the nodes' logs that a full disk or rot does not explain", LogCheck.Run(ring.All)),
                new Verdict("memory stays within its limit", Memory(ring)),
                new Verdict("disks hold what their nodes own, and go with what is live and not with what was written", disks),
            ],
            facts);
    }

    private async Task<string?> SettledAsync(ChaosRing ring, RingAdmin admin) =>
        await Waits.UntilNoneAsync(() => admin.UnsettledAsync(ring.Wanted, CancellationToken.None), SettlePatience, CancellationToken.None);

    private static async Task<string?> EqualAsync(ChaosRing ring, RingAdmin admin)
    {
        var rest = Stopwatch.StartNew();
        return await Waits.UntilNoneAsync(() => TreeCheck.ComplaintAsync(admin, ring.Wanted, rest.Elapsed), EqualPatience, CancellationToken.None);
    }

    /// <summary>What is too much once compaction has had its time.</summary>
    private static async Task<IReadOnlyList<string>> DisksAsync(List<(ChaosNode Node, int Owned)> owned, long liveBytes)
    {
        IReadOnlyList<string> found = [];
        await Waits.UntilNoneAsync(
            () =>
            {
                found = DiskCheck.Run(owned, liveBytes);
                return Task.FromResult(found.Count > 0 ? found[0] : null);
            },
            CompactPatience,
            CancellationToken.None);
        return found;
    }

    private static List<string> Problems(params string?[] found) => [.. found.Where(one => one is not null).Select(one => one!)];

    private List<string> Memory(ChaosRing ring) =>
    [
        .. from node in ring.All
           let most = timeline.Samples.Select(sample => sample.ResidentBytes[node.Slot]).DefaultIfEmpty().Max()
           where most > ChaosNode.MemoryLimitBytes
           select $"{node.Name} had {most >> 20} MiB resident, and may have {ChaosNode.MemoryLimitBytes >> 20}",
    ];

    /// <summary>Kinds of clients of which not one operation succeeded.</summary>
    private List<string> Silent() =>
    [
        .. from door in timeline.Operations.GroupBy(one => one.Door)
           where door.All(one => one.Error is not null)
           select $"none of {door.Count()} operations by {door.Key} succeeded",
    ];

    private static async Task<List<(ChaosNode Node, int Owned)>> OwnedAsync(ChaosRing ring, RingAdmin admin)
    {
        try
        {
            var cluster = await admin.At(ring.Wanted[0]).GetClusterAsync(new GetClusterRequest(), deadline: RingAdmin.Deadline);
            return [.. ring.Wanted.Select(node => (node, cluster.Members.FirstOrDefault(member => member.Name == node.Name)?.Partitions ?? 0))];
        }
        catch (RpcException)
        {
            // Said already: the ring is not at rest.
            return [];
        }
    }

    private static async Task<List<string>> StopAllAsync(ChaosRing ring)
    {
        var stopping = ring.Wanted.Select(async node =>
        {
            node.Unwant();
            var problem = await node.StopAsync(StopPatience);
            await node.GoneAsync();
            return problem;
        });
        return Problems(await Task.WhenAll(stopping));
    }

    private List<string> FactsOf(ChaosRing ring, Workload workload, DataCheck data) =>
    [
        $"{workload.Acknowledged} acknowledged writes; of {data.KeysRead} keys {data.KeysFound} hold something in the end",
        $"{document.Versions} versions of the cluster document",
        $"{ring.All.Sum(node => node.Starts)} starts of node processes",
        $"at most {timeline.Samples.Max(sample => sample.Hints)} hints at once",
        $"at most {timeline.Samples.Max(sample => sample.ResidentBytes.Max()) >> 20} MiB resident in a node, of {ChaosNode.MemoryLimitBytes >> 20}",
        $"disks, of {timeline.Operations.Count(one => one is { Kind: "bulk put", Error: null }) * (long)BulkWorker.ValueBytes >> 20} MiB written over and over three times, {workload.LiveBytes >> 20} MiB at most live: {string.Join(", ", ring.Wanted.Select(node => $"{node.Name} {node.Volume.Used >> 20} MiB, {DiskCheck.OrderedBytesOf(node) >> 10} KiB of it ordered records"))}",
        DiskCheck.Fullest(ring.Wanted),
    ];

    private List<Verdict> Conclude(List<Verdict> verdicts, IReadOnlyList<string> facts)
    {
        var isKept = verdicts.TrueForAll(verdict => verdict.IsKept);
        var title = string.Create(CultureInfo.InvariantCulture, $"seed {options.Seed}, {options.Minutes} minutes of faults, {options.Nodes} nodes: {(isKept ? "every promise kept" : "PROMISES BROKEN")}");
        var text = title + "\n" + Summary.Write(timeline, verdicts, facts);
        File.WriteAllText(Path.Combine(options.Report, "summary.txt"), text);
        File.WriteAllText(Path.Combine(options.Report, "timeline.svg"), TimelinePicture.Draw(timeline, title, options.Nodes + options.Spare, ChaosNode.MemoryLimitBytes));
        Console.WriteLine(text);
        return verdicts;
    }

    private void Say(string line) => Console.WriteLine($"{Summary.Clock(timeline.Now)}  {line}");
}
