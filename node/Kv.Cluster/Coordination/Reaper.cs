using Kv.Cluster.Async;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// Removes tombstones for good, when that is safe (reference 2.5; stricter than Riak): after the bucket's delay, in three rounds over every member that may hold
/// data. Inspect: each primary holds exactly this tombstone, on disk, and no other node anything for the key. Seal: still so, and from now on no member takes what was read before.
/// Reap: the primaries remove it. Whatever else is answered leaves the tombstone for a later read. (See node/docs/requests.md for why this is enough.) Keys that are due together go
/// together, since each seal costs what is on its way a second journey.
/// </summary>
internal sealed class Reaper(CoordinatorContext context, ReplicaCalls calls)
{
    private const int MaxTries = 3;
    private static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan TryPause = TimeSpan.FromMilliseconds(100);

    private readonly AsyncSignal wake = new(context.Time);

    // Guards all below.
    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, int> tries = [];
    private readonly PriorityQueue<ObjectKey, (long At, long Order)> due = new();
    private long scheduled;
    private bool isRunning;
    private uint attempts;

    /// <summary>A tombstone that all its primaries hold, as somebody read it; its clock's hash says which.</summary>
    private sealed record Candidate(RequestPlan Plan, ulong ClockHash)
    {
        public ReapedKey Key => new(Plan.Key, ClockHash);
    }

    /// <summary>What reading a key gave: something to reap, or replicas that were repaired, after which it is worth another try.</summary>
    private sealed record Finding(ObjectKey Key, Candidate? Candidate, bool IsRepaired);

    /// <summary>Keys that were taken up and are not done with.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return tries.Count;
            }
        }
    }

    /// <summary>Takes it up after the delay of the bucket's delete_mode. False where the bucket keeps tombstones, or there is too much to do: it is forgotten then.</summary>
    public bool Schedule(ObjectKey key)
    {
        if (context.State.Current.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { DeleteMode: { Keeps: false } mode })
        {
            return false;
        }

        lock (gate)
        {
            if (tries.Count >= context.Options.MaxWaitingReaps || !tries.TryAdd(key, 0))
            {
                return tries.ContainsKey(key);
            }

            Enqueue(key, TimeSpan.FromMilliseconds(mode.DelayMilliseconds));
            if (isRunning)
            {
                wake.Set();
                return true;
            }

            isRunning = true;
        }

        _ = RunAsync();
        return true;
    }

    // Needs the gate.
    private void Enqueue(ObjectKey key, TimeSpan delay) => due.Enqueue(key, (Deadline.After(context.Time, delay).Timestamp, scheduled++));

    private async Task RunAsync()
    {
        await Task.Yield();
        while (Next(out var keys, out var wait))
        {
            if (keys.Count == 0)
            {
                // Never the last moment alone: on a clock that drifts it may be none.
                await wake.WaitAsync(wait + LeastWait, CancellationToken.None);
                continue;
            }

            End(keys, await TryReapAsync(keys));
            await Task.Delay(context.Options.ReapInterval, context.Time, CancellationToken.None);
        }
    }

    /// <summary>The keys that are due, or how long to wait for the first; false when nothing waits any more, and the run is over.</summary>
    private bool Next(out List<ObjectKey> keys, out TimeSpan wait)
    {
        (keys, wait) = ([], TimeSpan.Zero);
        lock (gate)
        {
            while (keys.Count < context.Options.ReapBatchKeys && due.TryPeek(out var key, out var when))
            {
                wait = new Deadline(when.At).Left(context.Time);
                if (wait > TimeSpan.Zero)
                {
                    break;
                }

                keys.Add(key);
                due.Dequeue();
            }

            isRunning = keys.Count > 0 || due.Count > 0;
            return isRunning;
        }
    }

    private void End(List<ObjectKey> keys, HashSet<ObjectKey> again)
    {
        lock (gate)
        {
            foreach (var key in keys)
            {
                if (again.Contains(key) && ++tries[key] < MaxTries)
                {
                    Enqueue(key, TryPause);
                }
                else
                {
                    tries.Remove(key);
                }
            }
        }
    }

    /// <summary>What there was no memory for stays for a later read, and keeps nothing else from being reaped.</summary>
    private async Task<HashSet<ObjectKey>> TryReapAsync(List<ObjectKey> keys)
    {
        try
        {
            return await ReapAsync(keys);
        }
        catch (OutOfMemoryException)
        {
            return [];
        }
    }

    /// <summary>Gives those to try again: replicas had to be repaired first.</summary>
    private async Task<HashSet<ObjectKey>> ReapAsync(List<ObjectKey> keys)
    {
        var snapshot = context.State.Current;
        if (!IsStill(snapshot, snapshot))
        {
            return [];
        }

        var found = await Task.WhenAll(keys.Select(key => FindAsync(snapshot, key)));
        var candidates = found.Select(finding => finding.Candidate).OfType<Candidate>().ToList();
        if (candidates.Count > 0)
        {
            await RunRoundsAsync(snapshot, candidates);
        }

        return [.. found.Where(finding => finding.IsRepaired).Select(finding => finding.Key)];
    }

    /// <summary>Reads the key from all its primaries: a candidate is one lone tombstone at all of them.</summary>
    private async Task<Finding> FindAsync(ClusterSnapshot snapshot, ObjectKey key)
    {
        var nothing = new Finding(key, null, false);
        if (snapshot.Document!.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { DeleteMode.Keeps: false } props)
        {
            return nothing;
        }

        var deadline = Deadline.After(context.Time, context.Options.ReapRoundTimeout);
        var request = new KvRequest.Get { Key = key, R = QuorumValue.All, SloppyQuorum = false, HeadOnly = true };
        var rules = GetQuorumRules.Resolve(props, new GetQuorumOptions { R = QuorumValue.All }, out _);
        var plan = RequestPlan.Create(snapshot, context.Fences.Known, key, props, props.NVal, sloppy: false, deadline);
        if (plan is null || rules is null || rules.Check(plan.Preflist) is not null)
        {
            return nothing;
        }

        var finished = new TaskCompletionSource<ReadRepairPlan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await new GetCoordinator(context, calls, plan, request, rules, finished).RunAsync();
        return await finished.Task is not { Merged: { IsTombstone: true } tombstone } repair ? nothing
            : repair.MayReap ? nothing with { Candidate = new Candidate(plan, tombstone.Clock.StableHash()) }
            : nothing with { IsRepaired = !repair.Repairs.IsEmpty };
    }

    private async Task RunRoundsAsync(ClusterSnapshot snapshot, List<Candidate> candidates)
    {
        var members = snapshot.Document!.Members.Where(member => member.State != MemberState.Joining).Select(member => member.Id).ToList();
        var attempt = ((ulong)context.Fences.Own.Starts << 32) | ++attempts;
        var version = snapshot.DocumentVersion;
        var inspect = new PeerRequest.Inspect(attempt, [.. candidates.Select(candidate => candidate.Key)]) { DocumentVersion = version };
        var agreed = await AskAllAsync(members, inspect, candidates.Count);
        if (!IsStill(snapshot, context.State.Current))
        {
            Array.Clear(agreed);
        }

        // Where nobody agreed too: it has them forget the attempt.
        var isSealed = await AskAllAsync(members, new PeerRequest.Seal(attempt, agreed) { DocumentVersion = version }, candidates.Count);
        if (!IsStill(snapshot, context.State.Current))
        {
            return;
        }

        var removals = new SortedDictionary<NodeId, List<ReapedKey>>();
        foreach (var candidate in candidates.Where((_, i) => isSealed[i]))
        {
            foreach (var node in candidate.Plan.Preflist.Select(entry => entry.Node).Distinct())
            {
                removals.TryAdd(node, []);
                removals[node].Add(candidate.Key);
            }
        }

        await Task.WhenAll(removals.Select(removal => AskAsync(removal.Key, new PeerRequest.Reap(removal.Value) { DocumentVersion = version })));
    }

    /// <summary>Whether the document is the same, and no member that may hold data is away.</summary>
    private static bool IsStill(ClusterSnapshot planned, ClusterSnapshot now) =>
        now.Document is { } document
        && now.DocumentVersion == planned.DocumentVersion
        && document.Members.All(member => member.State == MemberState.Joining || now.IsUp(member.Id));

    /// <summary>By position, whether all members said yes.</summary>
    private async Task<bool[]> AskAllAsync(List<NodeId> members, PeerRequest request, int count)
    {
        var all = Enumerable.Repeat(true, count).ToArray();
        foreach (var reply in await Task.WhenAll(members.Select(member => AskAsync(member, request))))
        {
            var answers = reply is PeerReply.DoneEach { Keys: var keys } && keys.Count == count ? keys : null;
            for (var i = 0; i < count; i++)
            {
                all[i] &= answers is not null && answers[i];
            }
        }

        return all;
    }

    private async Task<PeerReply> AskAsync(NodeId node, PeerRequest request)
    {
        var self = context.State.Current.Self;
        return node == self
            ? await context.Gate.Reaps.HandleAsync(self, request)
            : await calls.SendAsync(node, request, Deadline.After(context.Time, context.Options.ReapRoundTimeout));
    }
}
