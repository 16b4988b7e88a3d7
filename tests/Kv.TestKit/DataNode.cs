using Kv.Cluster;
using Kv.Cluster.Coordination;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Reaping;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.TestKit;

/// <summary>
/// A node's data path and nothing else: vnodes, coordinators and the door, with a document and a set of nodes that are up which the story sets. It dies
/// and starts again on its volume.
/// </summary>
public sealed class DataNode : IPeerHandler
{
    private readonly DataCluster cluster;
    private SimContext? context;
    private DataRequests? requests;

    internal DataNode(DataCluster cluster, NodeId id)
    {
        this.cluster = cluster;
        Id = id;
        Volume = new SimVolume(cluster.Scheduler);
    }

    public NodeId Id { get; }

    public SimVolume Volume { get; }

    public bool IsUp => context is not null;

    public SimContext Context => context ?? throw new InvalidOperationException($"node {Id} is down");

    public KvClient Client { get; private set; } = null!;

    public VnodeHost Host { get; private set; } = null!;

    public VnodeGate Gate { get; private set; } = null!;

    public ClusterState State { get; private set; } = null!;

    public KvStatistics Statistics { get; private set; } = null!;

    public Fences Fences { get; private set; } = null!;

    public async Task StartAsync(ClusterDocument document)
    {
        var incarnation = cluster.Scheduler.CreateContext($"{Id}");
        context = incarnation;
        await incarnation.Enter(async () =>
        {
            Statistics = new KvStatistics();
            State = new ClusterState(Id);
            State.SetDocument(document);
            Fences = new Fences(Id);
            var transport = new WatchedTransport(cluster.Network.TransportOf(Id, incarnation), State, Fences);
            Host = new VnodeHost(
                State, Volume.OpenStores(incarnation), Volume.OpenState(incarnation), transport, Fences, incarnation.Time, cluster.Options, Statistics, NullLogger.Instance);
            Gate = new VnodeGate(State, Host);
            Client = new KvClient(State, Gate, transport, incarnation.Time, cluster.Options, Statistics) { Hooks = cluster.Hooks };
            requests = new DataRequests(State, Gate, Client);
            await Host.StartAsync(CancellationToken.None);
            cluster.Network.Attach(Id, $"{Id}:9081", incarnation, this);
        });
    }

    /// <summary>A clean stop.</summary>
    public async Task StopAsync()
    {
        cluster.Network.Detach(Id);
        await Context.Enter(Host.StopAsync);
        Forget();
    }

    /// <summary>The process dies; with <paramref name="losesPower"/>, what was not synced may be lost too.</summary>
    public void Kill(bool losesPower = true)
    {
        cluster.Network.Detach(Id);
        Forget();
        if (losesPower)
        {
            Volume.Crash();
        }
        else
        {
            Volume.CloseAll();
        }
    }

    public async ValueTask<PeerReply> HandleAsync(NodeId from, PeerRequest request, Deadline deadline, CancellationToken cancel)
    {
        if (request is PeerRequest.HandoffBatch batch)
        {
            var vnode = await Host.OpenAsync(batch.Partition, cancel);
            var reply = await vnode.MergeBatchAsync(batch.Entries, batch.Fence, cancel);
            return reply with { DocumentVersion = State.Current.DocumentVersion, Fence = Fences.Own };
        }

        return await requests!.HandleAsync(from, request, deadline, cancel) ?? new PeerReply.Refused("a data node has no membership");
    }

    /// <summary>
    /// Asks the node as a client does, from outside: if it dies, or says nothing for a minute beyond the request's time, the client is left without an answer (null).
    /// </summary>
    public async Task<KvOutcome?> AskAsync(KvRequest request)
    {
        if (context is not { } asked)
        {
            return null;
        }

        var answer = new TaskCompletionSource<KvOutcome?>();
        _ = asked.Enter(() => AnswerAsync(request, answer));
        var patience = (request.Timeout ?? cluster.Options.RequestTimeout) + TimeSpan.FromMinutes(1);
        cluster.Scheduler.World.After(patience, () => answer.TrySetResult(null));
        cluster.WhenKilled(asked, () => answer.TrySetResult(null));
        return await answer.Task;
    }

    private async Task AnswerAsync(KvRequest request, TaskCompletionSource<KvOutcome?> answer) =>
        answer.TrySetResult(await Client.ExecuteAsync(request, CancellationToken.None));

    private void Forget()
    {
        var dead = Context;
        dead.Kill();
        context = null;
        cluster.Killed(dead);
    }
}
