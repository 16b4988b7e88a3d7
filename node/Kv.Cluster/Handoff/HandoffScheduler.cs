using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Handoff;

/// <summary>
/// Sees to it that data goes where it belongs: to the next owner where the ring changes (ownership), and to its owner where this node holds it
/// for another, as a stand-in or left over from a time when it owned it (hinted). Nothing is dropped before its new holder has confirmed
/// it. All state is rebuilt from the document and from what is on disk, so that a crash anywhere only costs time. (Riak: riak_core_vnode_manager, riak_core_handoff_manager.)
/// </summary>
internal sealed partial class HandoffScheduler(
    ClusterOptions options,
    ClusterState state,
    VnodeHost host,
    HandoffSender sender,
    DocumentAgreement agreement,
    Gossip gossip,
    TimeProvider time,
    BackgroundTasks background,
    HandoffStatistics statistics,
    ILogger<HandoffScheduler> log)
{
    /// <summary>Transfers that are whole at the target and wait for the document at once: each makes writes depend on its target.</summary>
    private const int MaxCompleting = 64;

    /// <summary>Nothing failed: something was written meanwhile, or the owner has not spoken yet.</summary>
    private const string NotYet = "to be looked at again";

    /// <summary>Guards <see cref="jobs"/>, <see cref="lastUp"/> and what is in the jobs but their figures.</summary>
    private readonly Lock gate = new();
    private readonly Dictionary<(TransferKind, PartitionId), HandoffJob> jobs = [];
    private readonly AsyncSignal wake = new(time);
    private readonly AsyncSignal completionWake = new(time);
    private ClusterSnapshot? lastUp;

    public async Task RunAsync(CancellationToken cancel)
    {
        state.Subscribe(_ => wake.Set());
        statistics.HeldHints = CountHints;
        statistics.RefusedHints = CountRefused;
        background.Start(RunCompletionsAsync, cancel);
        while (!cancel.IsCancellationRequested)
        {
            foreach (var job in Plan(state.Current))
            {
                background.Start(token => RunJobAsync(job, token), cancel);
            }

            await wake.WaitAsync(options.HandoffInterval, cancel);
        }
    }

    /// <summary>Ownership transfers of the whole cluster and this node's hinted ones; figures only for those from this node.</summary>
    public ImmutableArray<TransferView> View()
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document)
        {
            return [];
        }

        var views = ImmutableArray.CreateBuilder<TransferView>();
        lock (gate)
        {
            foreach (var transfer in RingTransition.Pending(document.Ring))
            {
                views.Add(transfer.From == snapshot.Self && jobs.TryGetValue((TransferKind.Ownership, transfer.Partition), out var job)
                    ? job.View(time)
                    : new TransferView(TransferKind.Ownership, TransferState.Waiting, transfer.Partition, transfer.From, transfer.To, 0, 0, 0, TimeSpan.Zero, ""));
            }

            foreach (var job in jobs.Values.Where(j => j.Kind == TransferKind.Hinted).OrderBy(j => j.Partition))
            {
                views.Add(job.View(time));
            }
        }

        return views.ToImmutable();
    }

    /// <summary>Transfers under way.</summary>
    public int Running
    {
        get
        {
            lock (gate)
            {
                return jobs.Values.Count(job => job.IsRunning);
            }
        }
    }

    private long CountHints()
    {
        var snapshot = state.Current;
        return snapshot.Document is null ? 0 : host.Open.Where(vnode => !HandoffReceiver.IsHome(snapshot, vnode.Partition)).Sum(vnode => vnode.ApproximateCount);
    }

    private long CountRefused()
    {
        lock (gate)
        {
            return jobs.Values.Where(job => job.Kind == TransferKind.Hinted).Sum(job => job.ObjectsRefused);
        }
    }

    /// <summary>When what is held for another began to be held here; what leaves for its next owner goes after all of that, in its own order.</summary>
    private long AgeOf(HandoffJob job) => job.Kind == TransferKind.Hinted && host.Find(job.Partition) is { } vnode ? vnode.Birth : long.MaxValue;

    /// <summary>Brings the jobs in line with the document and what is held here, and takes those whose turn it is.</summary>
    private List<HandoffJob> Plan(ClusterSnapshot snapshot)
    {
        var starting = new List<HandoffJob>();
        lock (gate)
        {
            FollowNeeds(snapshot);
            var free = options.HandoffConcurrency - jobs.Values.Count(j => j.IsRunning);
            var completing = jobs.Values.Count(j => j.Whole is not null);
            var now = time.GetTimestamp();
            var due = jobs.Values
                .Where(j => !j.IsRunning && j.Whole is null && j.NotBefore <= now && snapshot.IsUp(j.Target))
                .OrderBy(j => j.Failures).ThenBy(AgeOf).ThenBy(j => j.CreatedAt).ThenBy(j => j.Partition);
            foreach (var job in due)
            {
                if (starting.Count >= free)
                {
                    break;
                }

                if (job.Kind == TransferKind.Ownership && completing >= MaxCompleting)
                {
                    continue;
                }

                job.IsRunning = true;
                starting.Add(job);
            }
        }

        return starting;
    }

    private void FollowNeeds(ClusterSnapshot snapshot)
    {
        var needs = Needs(snapshot);
        foreach (var (key, job) in jobs.Where(j => !j.Value.IsRunning).ToList())
        {
            if (!needs.TryGetValue(key, out var transfer) || transfer != job.Transfer)
            {
                jobs.Remove(key);
                EndIfStillOwned(snapshot, job);
            }
            else if (snapshot.IsUp(job.Target) && lastUp?.IsUp(job.Target) == false)
            {
                // Whatever kept it from the target may be over: do not sit out the back-off.
                job.NotBefore = 0;
                job.Renew(time.GetTimestamp());
            }
        }

        lastUp = snapshot;
        foreach (var (key, transfer) in needs)
        {
            jobs.TryAdd(key, new HandoffJob(key.Kind, transfer, time.GetTimestamp()));
        }
    }

    /// <summary>A newer document does not want the transfer any more, so that its completion cannot be decided: writes need not reach the target.</summary>
    private static void EndIfStillOwned(ClusterSnapshot snapshot, HandoffJob job)
    {
        if (job.Whole is { } whole && snapshot.Document is { Ring: var ring } && ring.Owner(job.Partition) == snapshot.Self)
        {
            whole.End();
        }
    }

    private Dictionary<(TransferKind Kind, PartitionId), Transfer> Needs(ClusterSnapshot snapshot)
    {
        var needs = new Dictionary<(TransferKind Kind, PartitionId), Transfer>();
        if (snapshot.Document is not { Ring: var ring })
        {
            return needs;
        }

        foreach (var transfer in RingTransition.Pending(ring).Where(t => RingTransition.IsPending(ring, t) && t.From == snapshot.Self))
        {
            needs.Add((TransferKind.Ownership, transfer.Partition), transfer);
        }

        foreach (var vnode in host.Open)
        {
            if (vnode.Partition.Number < ring.Size && !HandoffReceiver.IsHome(snapshot, vnode.Partition))
            {
                var owner = ring.Owner(vnode.Partition);
                needs.Add((TransferKind.Hinted, vnode.Partition), new Transfer(vnode.Partition, snapshot.Self, owner, 0));
                if (vnode.Transfer is { IsCompleting: true } given && (given.Target != owner || !snapshot.IsUp(owner)))
                {
                    // The document says that the data is with its owner. If that is down now, this node may have to stand in for it, alone.
                    given.StandIn();
                }
            }
            else if (vnode.Transfer is { IsEnded: false } past && ring.Size > vnode.Partition.Number
                && !(needs.TryGetValue((TransferKind.Ownership, vnode.Partition), out var wanted) && wanted.To == past.Target))
            {
                // The partition came back, or is to, before the vnode was dropped, or its move was called off: whom it went to then is nobody that a write has to wait for. If that
                // is the owner, which passes writes on to here, each of the two would wait for the other.
                past.End();
            }
        }

        return needs;
    }

    private async Task RunJobAsync(HandoffJob job, CancellationToken cancel)
    {
        string? problem = "interrupted";
        try
        {
            problem = job.Kind == TransferKind.Ownership ? await SendOwnedAsync(job, cancel) : await SendHeldAsync(job, cancel);
        }
        finally
        {
            Conclude(job, problem);
        }
    }

    private void Conclude(HandoffJob job, string? problem)
    {
        var hasFailed = problem is not null and not NotYet;
        lock (gate)
        {
            job.Conclude(problem, hasFailed, options.HandoffInterval, time);
        }

        if (hasFailed)
        {
            statistics.Failed(job.Kind);
            LogFailed(job.Kind, job.Partition, job.Target, problem!);
        }

        wake.Set();
    }

    /// <summary>To the next owner: from the moment the transfer begins every write goes to both, so that the fold and what follows it make the target whole.</summary>
    private async ValueTask<string?> SendOwnedAsync(HandoffJob job, CancellationToken cancel)
    {
        if (await sender.AskAsync(job.Partition, job.Target, cancel) is { } refusal)
        {
            return refusal;
        }

        if (host.Damaged.TryGetValue(job.Partition, out var damage))
        {
            return $"the partition's data here is damaged, and has to be rebuilt first: {damage}";
        }

        var vnode = await host.OpenAsync(job.Partition, cancel);
        if (await vnode.BeginTransferAsync(job.Target, cancel) is not { } transfer)
        {
            return "the partition's vnode is closed or overloaded";
        }

        if (await sender.SendAllAsync(vnode, job, cancel) is { } problem)
        {
            transfer.End();
            return problem;
        }

        if (!transfer.TryMarkCompleting())
        {
            return "the target missed a write while the data was sent";
        }

        lock (gate)
        {
            job.Whole = transfer;
        }

        completionWake.Set();
        return null;
    }

    /// <summary>
    /// To the owner, and away with it: unless something was written meanwhile, and then all of it once more. What a finished ownership transfer left here was
    /// given to the owner write by write, and need not be sent again.
    /// </summary>
    private async ValueTask<string?> SendHeldAsync(HandoffJob job, CancellationToken cancel)
    {
        if (host.Find(job.Partition) is not { } vnode)
        {
            return null;
        }

        var writes = vnode.Writes;
        if (HandoffReceiver.IsHome(state.Current, job.Partition))
        {
            // It has come to own the partition since the job was planned. From here on whatever it is given as the owner is one of its writes.
            return NotYet;
        }

        if (vnode.Transfer is { IsCompleting: true, HasMissed: false } given && given.Target == job.Target)
        {
            // The owner is to say by itself that it is the owner before its only other whole copy goes.
            var isConfirmed = gossip.VersionOf(job.Target) >= state.Current.DocumentVersion;
            return isConfirmed && await host.TryDropAsync(vnode, writes, given, cancel) ? null : NotYet;
        }

        if ((await sender.ReturnAllAsync(vnode, job, writes, cancel) ?? job.RefusedText) is { } problem)
        {
            return problem;
        }

        if (!await host.TryDropAsync(vnode, writes, null, cancel))
        {
            return NotYet;
        }

        statistics.Completed(job.Kind, 1);
        statistics.Returned(job.ObjectsSent - job.ObjectsReturned);
        LogReturned(job.Partition, job.Target, job.ObjectsSent);
        return null;
    }

    /// <summary>
    /// Has the document say what is whole at its target. Where the fate of a proposal is unknown the transfers stay as they are, writes going to both, until a
    /// newer document tells.
    /// </summary>
    private async Task RunCompletionsAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var whole = TakeWhole(state.Current);
            if (whole.IsEmpty)
            {
                await completionWake.WaitAsync(options.HandoffInterval, cancel);
                continue;
            }

            var result = await agreement.ChangeAsync(new DocumentChange.CompleteTransfers(whole), cancel);
            if (result is null || TakeWhole(state.Current).Contains(whole[0]))
            {
                await completionWake.WaitAsync(options.HandoffInterval, cancel);
            }
            else
            {
                statistics.Completed(TransferKind.Ownership, whole.Length);
                LogCompleted(whole.Length);
                wake.Set();
            }
        }
    }

    private ImmutableArray<Transfer> TakeWhole(ClusterSnapshot snapshot)
    {
        if (snapshot.Document is not { Ring: var ring })
        {
            return [];
        }

        lock (gate)
        {
            return
            [
                .. jobs.Values.Where(j => j.Whole is not null).Select(j => j.Transfer)
                    .Where(t => RingTransition.IsPending(ring, t)).OrderBy(t => t.Partition),
            ];
        }
    }

    [LoggerMessage(2130, LogLevel.Warning, "{Kind} transfer of partition {Partition} to {Target} did not succeed: {Problem}")]
    private partial void LogFailed(TransferKind kind, PartitionId partition, NodeId target, string problem);

    [LoggerMessage(2131, LogLevel.Information, "partition {Partition}: {Objects} objects held for {Target} are with it now")]
    private partial void LogReturned(PartitionId partition, NodeId target, long objects);

    [LoggerMessage(2132, LogLevel.Information, "{Count} partitions are with their next owners")]
    private partial void LogCompleted(int count);
}
