using System.Collections.Immutable;
using Kv.Cluster.AntiEntropy;
using Kv.Cluster.Async;
using Kv.Cluster.Coordination;
using Kv.Cluster.Handoff;
using Kv.Cluster.Hooks;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster;

/// <summary>
/// One node, whole: composes membership, vnodes, coordinators, handoff and anti-entropy over the ports it is handed. Its owner starts it once, gives what peers
/// send to <see cref="PeerHandler"/>, watches <see cref="Failed"/>, and stops it.
/// </summary>
public sealed partial class ClusterNode : IAsyncDisposable
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource stopping = new();
    private readonly NodeFailure failure = new();
    private readonly ClusterOptions options;
    private readonly TimeProvider time;
    private readonly IPeerTransport transport;
    private readonly IPartitionStores stores;
    private readonly INodeState nodeState;
    private readonly ILogger<ClusterNode> log;
    private readonly BackgroundTasks background;
    private readonly VnodeHost host;
    private readonly DocumentStore documents;
    private readonly DocumentVoter voter;
    private readonly DocumentAgreement agreement;
    private readonly Gossip gossip;
    private readonly NodeWatcher watcher;
    private readonly SelfDescription selfDescription;
    private readonly SeedSearch seeds;
    private readonly HandoffReceiver receiver;
    private readonly HandoffScheduler handoff;
    private readonly RebuildSource sources;
    private readonly Rebuilder rebuilder;
    private readonly TreeLocks locks;
    private readonly ExchangeScheduler exchanges;
    private readonly Scrubber scrubber;
    private readonly ExpirySweeper sweeper;
    private readonly ClockWatcher clockWatcher;
    private readonly PeerDispatcher dispatcher;
    private readonly Member self;
    private bool isStopped;

    /// <summary><paramref name="self"/> is the node's description of itself: id, name, zone and advertised endpoints; its state is not looked at.</summary>
    public ClusterNode(
        ClusterOptions options,
        Member self,
        IPeerTransport transport,
        IPartitionStores stores,
        INodeState nodeState,
        TimeProvider time,
        Random random,
        ILoggerFactory loggers,
        ICommitHooks? hooks = null)
    {
        (this.options, this.self, this.transport, this.stores, this.nodeState, this.time) = (options, self, transport, stores, nodeState, time);
        log = loggers.CreateLogger<ClusterNode>();
        background = new BackgroundTasks(OnBackgroundFailure);
        State = new ClusterState(self.Id);

        // First of all observers: whoever acts on a new member can reach it.
        State.Subscribe(SetPeers);
        var fences = new Fences(self.Id);
        var watched = new WatchedTransport(transport, State, fences);

        // A seeded source is not for several threads: each part has its own, made from it.
        Random Child() => new(random.Next());
        voter = new DocumentVoter(State, nodeState, failure, loggers.CreateLogger<DocumentVoter>());
        documents = new DocumentStore(State, nodeState, voter, failure, loggers.CreateLogger<DocumentStore>());
        agreement = new DocumentAgreement(
            options, State, documents, voter, watched, time, Child(), background, loggers.CreateLogger<DocumentAgreement>());
        gossip = new Gossip(options, State, documents, watched, time, Child(), background);
        watcher = new NodeWatcher(options, State, watched, time, background, loggers.CreateLogger<NodeWatcher>());
        watched.OnAnswer = OnAnswer;
        watched.OnUnreachable = watcher.Failed;
        selfDescription = new SelfDescription(options, self, State, agreement, time);
        seeds = new SeedSearch(options, self, State, transport, time, loggers.CreateLogger<SeedSearch>());

        host = new VnodeHost(State, stores, nodeState, watched, fences, time, options, Statistics, loggers.CreateLogger<VnodeHost>());
        var clocks = new MemberClocks(time, () => ClockWatcher.Counted(State.Current));
        host.Clocks = clocks;
        var gate = new VnodeGate(State, host);
        Client = new KvClient(State, gate, watched, time, options, Statistics) { Clocks = clocks, Hooks = hooks ?? NoCommitHooks.Instance };
        host.Reap = Client.Reap;
        receiver = new HandoffReceiver(options, State, host, Statistics.Handoff);
        var sender = new HandoffSender(options, self.Id, receiver, watched, fences, Statistics.Handoff, time, Child());
        handoff = new HandoffScheduler(
            options,
            State,
            host,
            sender,
            agreement,
            gossip,
            time,
            background,
            Statistics.Handoff,
            loggers.CreateLogger<HandoffScheduler>());
        sources = new RebuildSource(options, State, host, sender, time, background, Statistics.Handoff, loggers.CreateLogger<RebuildSource>());
        rebuilder = new Rebuilder(options, State, host, sources, watched, agreement, time, Child(), Statistics.Handoff, loggers.CreateLogger<Rebuilder>());
        Admin = new ClusterAdmin(
            options, self, State, documents, agreement, gossip, watched, ViewTransfers, watcher, host, Client, () => stores.Space, time, Child());
        locks = new TreeLocks(self.Id, options, time);
        var pace = new Pace(options.ExchangeBytesPerSecond, options.ExchangeWorkShare, () => Statistics.ActiveRequests > options.ExchangePauseRequests, time);
        var responder = new TreeResponder(State, host, locks, pace);
        sweeper = new ExpirySweeper(options, State, host, Client, clocks, pace, time);
        clockWatcher = new ClockWatcher(options, State, clocks, watched, time, loggers.CreateLogger<ClockWatcher>());
        exchanges = new ExchangeScheduler(
            options,
            State,
            host,
            locks,
            responder,
            new TreeBuilder(options, State, host, pace, time, Statistics.AntiEntropy, loggers.CreateLogger<TreeBuilder>()),
            pace,
            watched,
            Client,
            time,
            Child(),
            background,
            Statistics.AntiEntropy,
            loggers.CreateLogger<ExchangeScheduler>());
        Admin.Exchanges = exchanges;
        Admin.KeyRepairs = new KeyRepairs(options, State, gate, watched, Client, pace, time, background, stopping.Token);
        scrubber = new Scrubber(options, State, host, pace, time, Child(), Statistics.AntiEntropy, loggers.CreateLogger<Scrubber>());
        Statistics.Queues = () => QueuesAgainst(options);
        dispatcher = new PeerDispatcher(State, documents, voter, agreement, gossip, receiver, sources, responder, new DataRequests(State, gate, Client), Admin, fences, time);
        _ = ReportAsync(host.Failed);
    }

    public ClusterState State { get; }

    public ClusterAdmin Admin { get; }

    /// <summary>The door to the data; answers `not ready` until the node is in a cluster.</summary>
    public KvClient Client { get; }

    public KvStatistics Statistics { get; } = new();

    /// <summary>What peers send goes here; it may be called as soon as the node is made, and refuses until it is started.</summary>
    public IPeerHandler PeerHandler => dispatcher;

    /// <summary>The vnodes that are open now, owned or held for others.</summary>
    public IReadOnlyList<Vnode> Vnodes => host.Open;

    /// <summary>Completes, with the reason, when a store is beyond use: the process is to end, so that a restart recovers what is on disk.</summary>
    public Task<Exception> Failed => failure.Task;

    /// <summary>What bounded queues hold now, beside what <paramref name="bounds"/> allows: for who checks that the node keeps to them.</summary>
    internal IReadOnlyList<QueueDepth> QueuesAgainst(ClusterOptions bounds) =>
    [
        new("vnode_mailbox", nameof(bounds.VnodeMailboxLimit), host.MostOf(static vnode => vnode.Depth), bounds.VnodeMailboxLimit),
        new("vnode_unsynced_batches", nameof(bounds.VnodeUnsyncedBatches), host.MostOf(static vnode => vnode.UnsyncedTurns), bounds.VnodeUnsyncedBatches),
        new("vnode_listings", nameof(bounds.MaxListingsPerVnode), host.MostOf(static vnode => vnode.Listings), bounds.MaxListingsPerVnode),
        new("vnode_scans", nameof(bounds.MaxScansPerVnode), host.MostOf(static vnode => vnode.Scans), bounds.MaxScansPerVnode),
        new("listings", nameof(bounds.MaxListings), Client.Listings, bounds.MaxListings),
        new("requests", nameof(bounds.MaxConcurrentRequests), Client.Active, bounds.MaxConcurrentRequests),
        new("read_repairs", nameof(bounds.MaxConcurrentRepairs), Client.Repairs, bounds.MaxConcurrentRepairs),
        new("waiting_reaps", nameof(bounds.MaxWaitingReaps), Client.WaitingReaps, bounds.MaxWaitingReaps),
        new("inspections", nameof(bounds.MaxInspections), host.Inspections.Count, bounds.MaxInspections),
        new("transfers_out", nameof(bounds.HandoffConcurrency), handoff.Running, bounds.HandoffConcurrency),
        new("transfers_in", nameof(bounds.HandoffConcurrency), receiver.Merging, bounds.HandoffConcurrency),
        new("rebuilds_read", nameof(bounds.RebuildConcurrency), sources.Running, bounds.RebuildConcurrency),
        new("exchanges_asked", nameof(bounds.ExchangeConcurrency), exchanges.Running, bounds.ExchangeConcurrency),
        new("exchanges_answered", nameof(bounds.ExchangeConcurrency), locks.TakenForPeers, bounds.ExchangeConcurrency),
    ];

    /// <summary>
    /// Opens the stores, recovers the document, asks the members it lists whether they live and know better, and begins to serve. Throws
    /// <see cref="StoreException"/> on damage, and where the stores hold data and the document, the actors' record or that of the starts is gone. Waits for silent members no longer than <see cref="ClusterOptions.PeerDownAfter"/>.
    /// </summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        agreement.Stopping = stopping.Token;
        gossip.Stopping = stopping.Token;
        await LostState.ThrowIfLostAsync(nodeState, DocumentStore.FileName, stores, cancel);
        await LostState.ThrowIfLostAsync(nodeState, VnodeActors.RecordName, stores, cancel);
        await LostState.ThrowIfLostAsync(nodeState, Fences.RecordName, stores, cancel);
        await documents.RecoverAsync(cancel);
        await voter.RecoverAsync(cancel);
        await voter.ForgetAsync();
        await host.StartAsync(cancel);
        dispatcher.IsServing = true;

        // A node that was away may hold a document that is long replaced: it looks before it takes requests for partitions that may have moved.
        await watcher.AskAllAsync(cancel);
        if (await seeds.FindAsync(cancel))
        {
            await watcher.AskAllAsync(cancel);
        }

        await Task.WhenAny(background.DrainAsync(), Task.Delay(options.PeerDownAfter, time, cancel));

        Start(watcher.RunAsync);
        Start(gossip.RunAsync);
        Start(selfDescription.RunAsync);
        Start(seeds.RunAsync);
        Start(handoff.RunAsync);
        Start(sources.RunAsync);
        Start(rebuilder.RunAsync);
        Start(clockWatcher.RunAsync);
        Start(sweeper.RunAsync);
        Start(scrubber.RunAsync);
        if (options.AntiEntropy)
        {
            Start(exchanges.RunAsync);
        }
    }

    /// <summary>
    /// Takes no more requests, lets those under way end (until <paramref name="cancel"/>), and closes the stores cleanly whatever happens.
    /// </summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        Client.Stop();
        while (Client.Active > 0 && !cancel.IsCancellationRequested)
        {
            await Task.Delay(DrainPoll, time, CancellationToken.None);
        }

        // Not CancelAsync, which leaves the scheduler; nothing that listens continues inline.
        stopping.Cancel();
        var drained = background.DrainAsync();
        while (!drained.IsCompleted && !cancel.IsCancellationRequested)
        {
            await Task.WhenAny(drained, Task.Delay(DrainPoll, time, CancellationToken.None));
        }

        dispatcher.IsServing = false;
        await host.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        Client.Dispose();
        Statistics.Dispose();
        stopping.Dispose();
    }

    private ImmutableArray<TransferView> ViewTransfers() => [.. handoff.View(), .. sources.View(), .. rebuilder.View()];

    private void Start(Func<CancellationToken, Task> loop) => background.Start(token => SuperviseAsync(loop, token), stopping.Token);

    /// <summary>A loop ends only with the node. One that breaks takes the node with it: a restart is better than a node that hands nothing off or hears nobody.</summary>
    private async Task SuperviseAsync(Func<CancellationToken, Task> loop, CancellationToken cancel)
    {
        try
        {
            await loop(cancel);
        }
        catch (Exception broken) when (!cancel.IsCancellationRequested)
        {
            LogLoopBroken(broken);
            failure.Report(broken);
        }
    }

    private async Task ReportAsync(Task<Exception> storeFailed) => failure.Report(await storeFailed);

    private void OnBackgroundFailure(Exception broken)
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        LogTaskBroken(broken);
        if (broken is StoreException)
        {
            failure.Report(broken);
        }
    }

    private void OnAnswer(NodeId node, long version)
    {
        watcher.Answered(node);
        gossip.Saw(node, version);
    }

    private void SetPeers(ClusterSnapshot snapshot)
    {
        if (snapshot.Document is { } document)
        {
            transport.SetPeers(seeds.AddressesOf(document));
        }
    }

    [LoggerMessage(2140, LogLevel.Critical, "one of the node's loops broke: the node cannot go on")]
    private partial void LogLoopBroken(Exception broken);

    [LoggerMessage(2141, LogLevel.Error, "work in the background broke")]
    private partial void LogTaskBroken(Exception broken);
}
