using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kv.TestKit;

/// <summary>A whole node in the one-thread world: a process that dies and starts again, and the volume that stays.</summary>
public sealed class SimNode : IAsyncDisposable
{
    private readonly SimCluster cluster;
    private SimContext? context;
    private ClusterNode? node;

    internal SimNode(SimCluster cluster, NodeId id, string name, string zone)
    {
        (this.cluster, Id, Name, Zone, Address) = (cluster, id, name, zone, $"{name}:9081");
        Volume = new SimVolume(cluster.Scheduler);
        Clock = new SimClock(cluster.Scheduler);
    }

    public NodeId Id { get; private set; }

    public string Name { get; }

    public string Zone { get; }

    /// <summary>Where peers reach it; a story may move it while it is down.</summary>
    public string Address { get; set; }

    public SimVolume Volume { get; private set; }

    /// <summary>Its machine's.</summary>
    public SimClock Clock { get; }

    public bool IsUp => context is not null;

    /// <summary>The process is up and stopped as by SIGSTOP.</summary>
    public bool IsPaused => context is { IsPaused: true };

    public ClusterNode Node => node is not null && IsUp ? node : throw new InvalidOperationException($"{Name} is down");

    public ClusterDocument? Document => IsUp ? Node.State.Current.Document : null;

    /// <summary>What bounded queues hold now, each by the name of its bound in the options that its cluster was given, and that bound.</summary>
    public IEnumerable<(string Name, long Depth, long Bound)> Queues => Node.QueuesAgainst(cluster.Options).Select(queue => (queue.Option, queue.Depth, queue.Bound));

    public async Task StartAsync()
    {
        var incarnation = cluster.Scheduler.CreateContext(Name, Clock);
        var seams = cluster.Seams;
        context = incarnation;
        await InAsync(async () =>
        {
            var self = new Member(
                Id, Name, Zone, MemberState.Joining, ImmutableSortedDictionary<string, string>.Empty.Add(PeerEndpoint.Name, Address));
            node = new ClusterNode(
                seams.Options(cluster.Options),
                self,
                seams.Transport(this, incarnation, cluster.Network.TransportOf(Id, incarnation)),
                seams.Stores(this, incarnation, Volume.OpenStores(incarnation)),
                seams.State(this, incarnation, Volume.OpenState(incarnation)),
                incarnation.Time,
                new Random(cluster.Scheduler.Random.Next()),
                NullLoggerFactory.Instance);
            node.State.Subscribe(snapshot => cluster.Saw(this, snapshot.Document));
            cluster.Network.Attach(Id, Address, incarnation, seams.Handler(this, incarnation, node.PeerHandler));
            await node.StartAsync(CancellationToken.None);
            return true;
        });
    }

    /// <summary>A clean stop; none where the process dies on the way.</summary>
    public async Task StopAsync()
    {
        var stopping = context;
        await InAsync(async () =>
        {
            await Node.StopAsync(CancellationToken.None);
            return true;
        });
        if (context == stopping)
        {
            cluster.Network.Detach(Id);
            Forget();

            // Whatever it left open: files are closed when their process ends.
            Volume.CloseAll();
        }
    }

    public void Pause() => context?.Pause();

    public void Resume() => context?.Resume();

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

    /// <summary>The volume is lost while the node is down: under the same name, it is another node when it starts again.</summary>
    public void LoseVolume(NodeId newId)
    {
        Volume = new SimVolume(cluster.Scheduler) { OnWrite = Volume.OnWrite, OnDrop = Volume.OnDrop, OnForget = Volume.OnForget, MemoryRoomBytes = Volume.MemoryRoomBytes };
        Id = newId;
    }

    /// <summary>Does something in the node's process. Default if the process dies before it is done.</summary>
    public async Task<T?> InAsync<T>(Func<Task<T>> work)
    {
        if (context is not { } asked)
        {
            return default;
        }

        // Whoever waits goes on by its own turn, and not in the middle of a kill.
        var answer = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.WhenKilled(asked, () => answer.TrySetResult(default));
        asked.Invoke(() => _ = AnswerAsync(work, answer));
        return await answer.Task;
    }

    /// <summary>Asks the node as a client does; null where it dies or is down.</summary>
    public Task<KvOutcome?> AskAsync(KvRequest request) => InAsync<KvOutcome>(
        async () => await cluster.Seams.Ask(this, request, asked => Node.Client.ExecuteAsync(asked, CancellationToken.None)));

    /// <summary>Ends the process, if it lives; a dead one has nothing left to give back.</summary>
    public ValueTask DisposeAsync()
    {
        if (IsUp)
        {
            Kill(losesPower: false);
        }

        return ValueTask.CompletedTask;
    }

    private static async Task AnswerAsync<T>(Func<Task<T>> work, TaskCompletionSource<T?> answer)
    {
        try
        {
            answer.TrySetResult(await work());
        }
        catch (Exception failure)
        {
            answer.TrySetException(failure);
        }
    }

    private void Forget()
    {
        var dead = context ?? throw new InvalidOperationException($"{Name} is down already");
        dead.Kill();
        context = null;

        // Its meter would stay on the process's list of them.
        node?.Statistics.Dispose();
        cluster.Killed(dead);
    }
}
