using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Handoff;

/// <summary>
/// Gives this node the data of partitions that it took over without. An acknowledged write may be left with one member alone, under any partition of its key and as a stand-in too. So
/// every member is asked twice: first to send what it holds for others, and when all have, to send what it holds; after that nothing of the partition's keys is anywhere but here. All
/// state is made anew after a restart, but what was sent counts as long as the store is the same. (Riak: riak_kv_vnode:repair/1, which asks the two neighbours and forgets stand-ins.)
/// </summary>
internal sealed partial class Rebuilder
{
    /// <summary>Partitions that members are asked for at once.</summary>
    private const int MaxAsked = 64;

    private readonly ClusterOptions options;
    private readonly ClusterState state;
    private readonly VnodeHost host;
    private readonly RebuildSource sources;
    private readonly IPeerTransport transport;
    private readonly DocumentAgreement agreement;
    private readonly TimeProvider time;
    private readonly Random random;
    private readonly ILogger log;
    private readonly AsyncSignal wake;

    /// <summary>By partition. Changed by the loop alone and swapped whole, so that anyone may read it.</summary>
    private ImmutableSortedDictionary<PartitionId, RebuildJob> jobs = ImmutableSortedDictionary<PartitionId, RebuildJob>.Empty;

    public Rebuilder(
        ClusterOptions options,
        ClusterState state,
        VnodeHost host,
        RebuildSource sources,
        IPeerTransport transport,
        DocumentAgreement agreement,
        TimeProvider time,
        Random random,
        HandoffStatistics statistics,
        ILogger<Rebuilder> log)
    {
        (this.options, this.state, this.host, this.sources, this.transport, this.agreement) = (options, state, host, sources, transport, agreement);
        (this.time, this.random, this.log) = (time, random, log);
        wake = new AsyncSignal(time);
        statistics.Rebuilding = () => Volatile.Read(ref jobs).Count;
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(_ => wake.Set());
        while (!cancel.IsCancellationRequested)
        {
            Follow(state.Current);
            await BeginAgainAsync(host.LostAgain(state.Current), cancel);
            var asked = jobs.Values.Take(MaxAsked).ToList();
            await Task.WhenAll(asked.Select(job => AskAllAsync(job, cancel).AsTask()));
            var whole = asked.Where(job => job.Step == null && host.Find(job.Partition) == job.Vnode).Select(job => job.Partition).ToImmutableArray();
            var hasStepped = asked.Any(job => job.HasStepped);
            if (!whole.IsEmpty)
            {
                await CompleteAsync(whole, asked[0].PlannedAt, cancel);
            }

            if (!hasStepped)
            {
                await wake.WaitAsync(options.HandoffInterval, cancel);
            }
        }
    }

    /// <summary>Whom the rebuilds wait for; what is on its way, its sender shows.</summary>
    public ImmutableArray<TransferView> View()
    {
        var self = state.Current.Self;
        return
        [
            .. Volatile.Read(ref jobs).Values.SelectMany(job => job.Problems.Select(problem =>
                new TransferView(TransferKind.Rebuild, TransferState.Waiting, job.Partition, problem.Key, self, 0, 0, 0, TimeSpan.Zero, problem.Value))),
        ];
    }

    private void Follow(ClusterSnapshot snapshot)
    {
        var next = ImmutableSortedDictionary.CreateBuilder<PartitionId, RebuildJob>();
        if (snapshot.Document is { Ring: var ring })
        {
            foreach (var partition in ring.Rebuilding.Where(p => ring.Owner(p) == snapshot.Self))
            {
                // What was sent by an earlier plan counts no more: a member that was waited for may be gone, and its share with it.
                if (host.Find(partition) is { } vnode)
                {
                    var isSame = jobs.TryGetValue(partition, out var job) && job.PlannedAt == ring.PlannedAt && job.Vnode == vnode;
                    next[partition] = isSame ? job! : new RebuildJob(vnode, ring.PlannedAt, AttemptOf(vnode));
                }
            }
        }

        Volatile.Write(ref jobs, next.ToImmutable());
    }

    /// <summary>Until the document has the new plan, it is proposed again; where it has that the partitions are whole by now, they are damaged as any other, or rebuilt at once.</summary>
    private async ValueTask BeginAgainAsync(ImmutableArray<PartitionId> lost, CancellationToken cancel)
    {
        if (!lost.IsEmpty && state.Current is { Document.Ring: var ring } snapshot)
        {
            var change = new DocumentChange.BeginRebuild(snapshot.Self, lost, ring.PlannedAt);
            if (await agreement.ChangeAsync(change, cancel) is DocumentChangeResult.Unchanged && state.Current.Document?.Ring.PlannedAt == ring.PlannedAt)
            {
                // To a proposer of the version before, what is rebuilt already needs no newer plan.
                await agreement.ProposeAsync(change, cancel);
            }
        }
    }

    /// <summary>A member that has sent all need not send it again to the same store, whatever became of the process.</summary>
    private ulong AttemptOf(Vnode vnode) => vnode.IsDurable ? (ulong)vnode.Birth : (ulong)random.NextInt64();

    private async ValueTask AskAllAsync(RebuildJob job, CancellationToken cancel)
    {
        job.HasStepped = false;
        if (job.Step is not { } step || state.Current.Document is not { } document)
        {
            return;
        }

        // A joining node was never told of a write.
        var members = document.Members.Where(m => m.State != MemberState.Joining && !job.HasAnswered(m.Id)).ToList();
        var answers = await Task.WhenAll(members.Select(member => AskAsync(job, step, member, cancel).AsTask()));
        var problems = ImmutableSortedDictionary.CreateBuilder<NodeId, string>();
        foreach (var (member, answer) in members.Zip(answers))
        {
            if (answer is null)
            {
                job.Answered(member.Id);
            }
            else if (answer.Length > 0)
            {
                problems.Add(member.Id, answer);
            }
        }

        job.Problems = problems.ToImmutable();
        if (answers.All(answer => answer is null))
        {
            job.NextStep();
        }
    }

    /// <summary>Null where the member has done its part, empty where it is at it, else why it is not.</summary>
    private async ValueTask<string?> AskAsync(RebuildJob job, RebuildStep step, Member member, CancellationToken cancel)
    {
        if (!state.Current.IsUp(member.Id))
        {
            return $"waits for {member.Name}, which is down: it may hold what nobody else has";
        }

        var ask = new PeerRequest.Rebuild(job.Partition, job.PlannedAt, job.Attempt, step);
        var reply = member.Id == state.Current.Self
            ? sources.Handle(member.Id, ask)
            : await transport.SendAsync(member.Id, ask, PeerLane.Bulk, Deadline.After(time, options.PeerDownAfter), cancel);
        return reply switch
        {
            PeerReply.Done => null,
            PeerReply.Rebuilding under => under.Problem,
            PeerReply.Refused refused => $"{member.Name} refuses: {refused.Reason}",
            PeerReply.WrongOwner => $"{member.Name} does not hold the document yet that has the partition rebuilt",
            _ => $"no answer from {member.Name}: {reply.GetType().Name}",
        };
    }

    /// <summary>Where the outcome is unknown, it is proposed again as long as the document does not have it.</summary>
    private async ValueTask CompleteAsync(ImmutableArray<PartitionId> whole, long plannedAt, CancellationToken cancel)
    {
        var result = await agreement.ChangeAsync(new DocumentChange.CompleteRebuild(state.Current.Self, whole, plannedAt), cancel);
        if (result is DocumentChangeResult.Changed)
        {
            LogRebuilt(whole.Length);
        }
    }

    [LoggerMessage(2136, LogLevel.Information, "{Count} partitions are rebuilt from their other replicas")]
    private partial void LogRebuilt(int count);
}
