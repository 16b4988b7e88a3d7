using Kv.Cluster;
using Kv.Core.Rings;
using Kv.Simulation.Checkers;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Running;

/// <summary>What the actors of a run share: the cluster, the journal, the checkers, and whether it is healed yet.</summary>
internal sealed class SimWorld
{
    /// <summary>The longest runs take half a million; one that takes this many goes round in circles.</summary>
    private const long MostSteps = 4_000_000;

    /// <summary>A process that ended is started again after this time.</summary>
    public static readonly TimeSpan BetweenStarts = TimeSpan.FromSeconds(1);

    /// <summary>For keys that are in memory alone: more than all of a run's take.</summary>
    private const long RoomBytes = 1 << 20;

    private readonly HashSet<SimNode> failing = [];
    private readonly HashSet<SimNode> beyondHelp = [];
    private readonly HashSet<SimNode> starting = [];
    private ulong ids = 1000;

    public SimWorld(SimPlan plan, SimSeams seams)
    {
        Plan = plan;
        Scheduler = new SimScheduler(plan.Seed) { MaxSteps = MostSteps };
        Journal = new Journal(Scheduler);
        Cluster = new SimCluster(Scheduler, plan.Members + plan.Spares, plan.Zones, options: OptionsOf(plan)) { Seams = seams };
        Writes = new WriteChecker(plan, Journal);
        Documents = new DocumentChecker(Journal);
        Dots = new DotChecker(Journal);
        Indexes = new IndexChecker(this);
        var rebuilds = new RebuildChecker(this);
        Cluster.OnDocument = (node, document) =>
        {
            Documents.Saw(node, document);
            rebuilds.Saw(document);
        };
        foreach (var node in Cluster.Nodes)
        {
            node.Volume.OnWrite = batch =>
            {
                Dots.Saw(batch);
                Writes.Saw(batch);
            };
            node.Volume.OnForget = () => Writes.Lifetimes.Forgot(node.Name);
            node.Volume.MemoryRoomBytes = plan.Types.Any(type => type.IsInMemory) ? RoomBytes : null;
            node.Volume.OnDrop = (partition, held) => new HandoffChecker(this).Check(node, partition, held);
        }
    }

    private static ClusterOptions OptionsOf(SimPlan plan)
    {
        var options = new ClusterOptions { RequestTimeout = TimeSpan.FromSeconds(5), ExchangeInterval = TimeSpan.FromSeconds(5) };
        options = plan.Types.Any(type => type.TtlSeconds is not null) ? options with { ExpirySweepInterval = TimeSpan.FromSeconds(10) } : options;
        options = plan.Types.Any(type => type.IsOrdered) || plan.QueueBound < SimPlan.AmpleQueueBound ? options with { ListPageKeys = 1 } : options;
        options = plan.Types.Any(type => type.IsOrdered) ? options with { MaxScansPerVnode = 2 } : options;
        if (plan.QueueBound < SimPlan.AmpleQueueBound)
        {
            options = options with
            {
                VnodeMailboxLimit = plan.QueueBound,
                VnodeUnsyncedBatches = 1 + (plan.QueueBound % 3),
                MaxConcurrentRequests = plan.QueueBound,
                MaxConcurrentRepairs = plan.QueueBound,
                MaxWaitingReaps = plan.QueueBound,
                MaxInspections = plan.QueueBound,
                ReapBatchKeys = Math.Max(1, plan.QueueBound / 4),
                HandoffConcurrency = 1,
                RebuildConcurrency = 1,
                ExchangeConcurrency = 1,
                MaxListings = 1 + (plan.QueueBound % 4),
                MaxListingsPerVnode = 1 + (plan.QueueBound % 3),
                MaxScansPerVnode = 1 + (plan.QueueBound % 2),
            };
        }

        // Eight keys fill the smallest tree, so that trees grow.
        return !plan.IsRestless ? options : options with
        {
            ExchangeInterval = TimeSpan.FromSeconds(1),
            TreeMaxAge = TimeSpan.FromSeconds(4),
            TreeTurnKeys = 3,
            TreePageBytes = 150,
            TreeLeafKeys = 1 / 8192.0,
        };
    }

    public SimPlan Plan { get; }

    public SimScheduler Scheduler { get; }

    public Journal Journal { get; }

    public SimCluster Cluster { get; }

    public WriteChecker Writes { get; }

    public DocumentChecker Documents { get; }

    public DotChecker Dots { get; }

    public IndexChecker Indexes { get; }

    public Random Random => Scheduler.Random;

    /// <summary>Faults that happened: one finds nothing to happen to where, say, its node is down already.</summary>
    public int Faults { get; set; }

    /// <summary>Requests that clients made of a node.</summary>
    public int Calls { get; set; }

    /// <summary>Faults are over: whatever was to be undone later is undone already.</summary>
    public bool IsHealed { get; set; }

    public SimNode Node(int place) => Cluster.Nodes[place % Cluster.Nodes.Length];

    /// <summary>The node at this place, or the next one that serves. Null where none does.</summary>
    public SimNode? Serving(int place, Func<SimNode, bool>? who = null)
    {
        for (var step = 0; step < Cluster.Nodes.Length; step++)
        {
            if (Node(place + step) is { IsUp: true, IsPaused: false, Document: not null } node && who?.Invoke(node) != false)
            {
                return node;
            }
        }

        return null;
    }

    /// <summary>An id that no node had before, for one whose volume is new.</summary>
    public NodeId NewId() => new(++ids);

    public Task DelayAsync(TimeSpan delay) => Cluster.DelayAsync(delay);

    public TimeSpan Now => TimeSpan.FromTicks(Scheduler.Now);

    /// <summary>The world has done something to the node's disk that ends its process: that is no bug.</summary>
    public void ExpectFailure(SimNode node) => failing.Add(node);

    public bool IsFailureExpected(SimNode node) => failing.Contains(node);

    /// <summary>Starts the node if it is down, again until its disk lets it. A partition whose data is damaged stops no start.</summary>
    public async Task StartAsync(SimNode node)
    {
        while (!node.IsUp && !beyondHelp.Contains(node))
        {
            Journal.Note($"{node.Name} starts");
            starting.Add(node);
            try
            {
                await node.StartAsync();
                return;
            }
            catch (Kv.Core.Stores.StoreException failure)
            {
                if (!IsFailureExpected(node))
                {
                    Journal.Violation($"{node.Name} does not start: {failure.Message}");
                    Kill(node, losesPower: false);
                    beyondHelp.Add(node);
                    return;
                }

                Journal.Note($"{node.Name} does not start: {failure.Message}");
                Kill(node, losesPower: false);
                node.Volume.FailSyncs = false;
            }
            finally
            {
                starting.Remove(node);
            }

            await DelayAsync(BetweenStarts);
        }
    }

    /// <summary>A process that is on its way up ends its start when it is told to stop: for what runs here that is a kill.</summary>
    public bool IsStarting(SimNode node) => starting.Contains(node);

    public void Kill(SimNode node, bool losesPower)
    {
        if (node.IsUp)
        {
            node.Kill(losesPower);
        }
    }
}
