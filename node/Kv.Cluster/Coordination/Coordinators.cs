using Kv.Cluster.Hooks;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Buckets;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// Takes a request that is allowed in to its outcome: resolves options, plans, runs the coordinator, forwards what belongs elsewhere, and tries again
/// where the ring moved or a node turned out to be gone. The order of checks is Riak's (reference 2.2, 2.4).
/// </summary>
internal sealed class Coordinators
{
    private const int MaxAttempts = 3;

    /// <summary>A write that is done does not wait longer for what others hold beside it.</summary>
    private static readonly TimeSpan MaxWaitForOthers = TimeSpan.FromSeconds(5);

    private readonly CoordinatorContext context;
    private readonly ReplicaCalls calls;
    private readonly Reaper reaper;
    private readonly HookRun hooks;

    public Coordinators(CoordinatorContext context)
    {
        this.context = context;
        calls = new ReplicaCalls(context);
        reaper = new Reaper(context, calls);
        hooks = new HookRun(context);
    }

    public int WaitingReaps => reaper.Waiting;

    private static KvOutcome.Failed NotInCluster => new(new KvError.NotReady("the node is in no cluster any more"));

    private static KvOutcome.Failed ReplicaDamaged => new(new KvError.NotReady(VnodeRefusals.Damaged));

    public Task<KvOutcome> ExecuteAsync(KvRequest request, BucketProps props, Deadline deadline) => request switch
    {
        KvRequest.Get get => GetAsync(get, props, deadline),
        KvRequest.Put put => PutAsync(put, props, deadline),
        KvRequest.Delete delete => DeleteAsync(delete, props, deadline),
        _ => throw new System.Diagnostics.UnreachableException($"unknown request {request}"),
    };

    /// <summary>
    /// Reads every primary that is up and repairs those that are stale or missing, as a read does; for anti-entropy. Where their heads are alike, it compares values too. Null where
    /// that was not possible; <see cref="ReadRepairPlan.IsDone"/> where all of them answered and took what they missed. What is left of a deleted object is looked at by the reaper, as after a read.
    /// </summary>
    public async Task<ReadRepairPlan?> RepairAsync(ObjectKey key, Deadline deadline)
    {
        var snapshot = context.State.Current;
        if (snapshot.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is not { } props
            || RequestPlan.Create(snapshot, context.Fences.Known, key, props, props.NVal, sloppy: false, deadline) is not { } plan)
        {
            return null;
        }

        var options = new GetQuorumOptions { R = QuorumValue.One, Pr = QuorumValue.Of(0), NodeConfirms = QuorumValue.Of(0), BasicQuorum = false };
        if (GetQuorumRules.Resolve(props, options, out _) is not { } rules || rules.Check(plan.Preflist) is not null)
        {
            return null;
        }

        var repair = await ReadAllAsync(plan, rules, readsWhole: false);
        if (repair is { Merged: not null, Repairs.IsEmpty: true })
        {
            repair = await ReadAllAsync(plan, rules, readsWhole: true);
        }

        if (repair is { Merged.IsTombstone: true })
        {
            reaper.Schedule(key);
        }

        return repair;
    }

    private async Task<ReadRepairPlan?> ReadAllAsync(RequestPlan plan, GetQuorumRules rules, bool readsWhole)
    {
        var finished = new TaskCompletionSource<ReadRepairPlan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var request = new KvRequest.Get { Key = plan.Key, SloppyQuorum = false, HeadOnly = true };
        await new GetCoordinator(context, calls, plan, request, rules, finished) { ReadsWhole = readsWhole }.RunAsync();
        return await finished.Task;
    }

    /// <summary>
    /// Deletes an object whose time is over at all primaries that are up, under what they hold: so all replicas come to hold the same tombstone, which is reaped as any other. Nothing is done where one
    /// of them has something that lasts, or too few can be read.
    /// </summary>
    public async Task ExpireAsync(ObjectKey key, Deadline deadline)
    {
        if (await RepairAsync(key, deadline) is { Merged: { } held }
            && context.State.Current.Document?.EffectiveProps(new BucketName(key.BucketType, key.Bucket)) is { } props
            && context.Clocks.Certain is { } now && Expiry.IsOver(held, props, now))
        {
            await DeleteAsync(new KvRequest.Delete { Key = key, Context = held.Clock, IsExpiry = true, IsForwarded = true, SloppyQuorum = false }, props, deadline);
        }
    }

    /// <summary>Has a deleted key's tombstone looked at by the reaper, as after a read. False where its bucket keeps them, or too many wait.</summary>
    public bool Reap(ObjectKey key) => reaper.Schedule(key);

    private async Task<KvOutcome> GetAsync(KvRequest.Get request, BucketProps props, Deadline deadline)
    {
        var options = new GetQuorumOptions
        {
            NVal = request.NVal,
            R = request.R,
            Pr = request.Pr,
            NodeConfirms = request.NodeConfirms,
            BasicQuorum = request.BasicQuorum,
            NotFoundOk = request.NotFoundOk,
        };
        if (GetQuorumRules.Resolve(props, options, out var violation) is not { } rules)
        {
            return KvErrors.Failed(violation!, indeterminate: false);
        }

        HashSet<NodeId>? gone = null;
        for (var attempt = 1; ; attempt++)
        {
            if (RequestPlan.Create(context.State.Current, context.Fences.Known, request.Key, props, rules.NVal, request.SloppyQuorum, deadline) is not { } plan)
            {
                return NotInCluster;
            }

            plan = gone is null ? plan : plan.Without(gone);
            if (rules.Check(plan.Preflist) is { } unmet)
            {
                return KvErrors.Failed(unmet, indeterminate: false);
            }

            var coordinator = new GetCoordinator(context, calls, plan, request, rules) { OnReapable = key => reaper.Schedule(key) };
            var outcome = await coordinator.RunAsync();

            // A peer died and nobody has told yet: go on without it, as if it were known to be down.
            var mayRetry = outcome is KvOutcome.Failed { Error: KvError.Unsatisfied } && attempt < MaxAttempts && !deadline.HasPassed(context.Time);
            if (!mayRetry || coordinator.Unreachable is not { Count: > 0 } unreachable)
            {
                return outcome is KvOutcome.Found found ? new KvOutcome.Found(Merged(found.Object, props)) : outcome;
            }

            (gone ??= []).UnionWith(unreachable);
        }
    }

    private async Task<KvOutcome> PutAsync(KvRequest.Put request, BucketProps props, Deadline deadline)
    {
        if (DataTypeUpdates.Check(request, props) is { } misfit)
        {
            return new KvOutcome.Failed(misfit);
        }

        var options = new PutQuorumOptions { NVal = request.NVal, W = request.W, Dw = request.Dw, Pw = request.Pw, NodeConfirms = request.NodeConfirms };
        if (PutQuorumRules.Resolve(props, options, out var violation) is not { } rules)
        {
            return KvErrors.Failed(violation!, indeterminate: false);
        }

        KvRequest.Put? judged = null;
        for (var attempt = 1; ; attempt++)
        {
            var place = await PlaceAsync(request, props, rules, deadline);
            if (place.Plan is not { } plan)
            {
                return place.Outcome!;
            }

            if (await ConditionFailsAsync(request, props, deadline) is { } failure)
            {
                return new KvOutcome.Failed(failure);
            }

            if (judged is null)
            {
                (judged, var refusal) = await AskHooksAsync(request, props, deadline);
                if (refusal is not null)
                {
                    return new KvOutcome.Failed(refusal);
                }
            }

            var coordinator = new PutCoordinator(context, calls, plan, judged!, rules, place.Coordinator);
            var outcome = await coordinator.RunAsync();
            if (!props.PostCommit.IsEmpty && outcome is KvOutcome.Stored && coordinator.Written is { } done)
            {
                hooks.Tell(request, props, done);
            }

            var mayRetry = attempt < MaxAttempts
                && (coordinator.IsStale || (coordinator.MovedAtVersion > 0 && await calls.NewerAsync(coordinator.MovedAtVersion, deadline) is not null));
            if (!mayRetry)
            {
                return place.Coordinator != PutQuorum.NoCoordinator && outcome is KvOutcome.Stored { Object: { } written } ? await WithOthersAsync(written, request, rules, props, deadline) : outcome;
            }
        }
    }

    /// <summary>Hooks are asked about what is not refused anyway. They may take seconds, in which others write: the condition has to hold after them as well.</summary>
    private async ValueTask<(KvRequest.Put? Put, KvError? Error)> AskHooksAsync(KvRequest.Put request, BucketProps props, Deadline deadline)
    {
        var answer = await hooks.AskAsync(request, props, deadline);
        return answer.Error is null && !props.PreCommit.IsEmpty && await ConditionFailsAsync(request, props, deadline) is { } failure ? (null, failure) : answer;
    }

    /// <summary>Where this node carries the write out, and as which of the list; or the outcome, where it does not: the write was handed on, or cannot be done.</summary>
    private readonly record struct Place(RequestPlan? Plan, int Coordinator, KvOutcome? Outcome)
    {
        public static Place Nowhere(KvOutcome outcome) => new(null, PutQuorum.NoCoordinator, outcome);
    }

    private async ValueTask<Place> PlaceAsync(KvRequest.Put request, BucketProps props, PutQuorumRules rules, Deadline deadline)
    {
        if (RequestPlan.Create(context.State.Current, context.Fences.Known, request.Key, props, rules.NVal, request.SloppyQuorum, deadline) is not { } plan)
        {
            return Place.Nowhere(NotInCluster);
        }

        if (rules.Check(plan.Preflist) is { } unmet)
        {
            return Place.Nowhere(KvErrors.Failed(unmet, indeterminate: false));
        }

        if (request.AsIs || props.WriteOnce)
        {
            return new Place(plan, PutQuorum.NoCoordinator, null);
        }

        var damaged = context.Gate.Damaged;
        if (plan.IndexOfSelf(damaged) is >= 0 and var self)
        {
            return new Place(plan, self, null);
        }

        if (request.IsForwarded && plan.ListsSelf)
        {
            return Place.Nowhere(ReplicaDamaged);
        }

        if (!request.IsForwarded && await ForwardAsync(request, plan.WithoutSelf()) is { } forwarded)
        {
            return Place.Nowhere(forwarded);
        }

        if (!request.SloppyQuorum)
        {
            return Place.Nowhere(new KvOutcome.Failed(new KvError.InsufficientVnodes(0, 1)));
        }

        if (plan.WithSelfStandingIn(damaged) is not { } standingIn)
        {
            return Place.Nowhere(ReplicaDamaged);
        }

        return rules.Check(standingIn.Preflist) is { } stillUnmet
            ? Place.Nowhere(KvErrors.Failed(stillUnmet, indeterminate: false))
            : new Place(standingIn, standingIn.IndexOfSelf(damaged), null);
    }

    /// <summary>
    /// What was written, together with what as many replicas hold as the write needed: the coordinating vnode may have missed a write that was acknowledged before this one, and whoever asks for
    /// the object must not see that one gone (riak_kv_put_core merges the replies). Where they cannot be read, the write is done all the same.
    /// </summary>
    private async Task<KvOutcome> WithOthersAsync(KvObject written, KvRequest.Put request, PutQuorumRules rules, BucketProps props, Deadline deadline)
    {
        var read = new KvRequest.Get
        {
            Key = request.Key,
            R = QuorumValue.Of(Math.Max(rules.W, rules.Dw)),
            Pr = QuorumValue.Of(0),
            NodeConfirms = QuorumValue.Of(0),
            NotFoundOk = true,
            NVal = request.NVal,
            SloppyQuorum = request.SloppyQuorum,
            HeadOnly = !request.ReturnBody,
        };
        var left = deadline.Left(context.Time) / 2;
        var patience = Deadline.After(context.Time, left < MaxWaitForOthers ? left : MaxWaitForOthers);
        return await GetAsync(read, props, patience) is KvOutcome.Found found
            ? new KvOutcome.Stored(Merged(KvObject.Reconcile([written, found.Object], props)!, props))
            : new KvOutcome.Stored(written);
    }

    /// <summary>Concurrent updates of a data type are siblings here, and one state for whoever asks.</summary>
    private static KvObject Merged(KvObject held, BucketProps props) => props.DataType is null ? held : DataTypeObject.Collapse(held, props);

    /// <summary>
    /// Hands the whole request to a node of its list; null where none can be reached. It is carried out once at most: where a connection broke after it had left, its
    /// fate is not known, and it is not handed to a second one. Done twice it is two events, and the copy that came late would outlive a delete that saw the other.
    /// </summary>
    private async Task<KvOutcome?> ForwardAsync(KvRequest request, RequestPlan plan)
    {
        for (var i = 0; i < plan.Preflist.Length && !plan.Deadline.HasPassed(context.Time); i++)
        {
            var node = plan.Preflist[i].Node;
            if (Contains(plan, node, i))
            {
                continue;
            }

            context.Statistics.RequestForwarded();
            var handedOn = request with { IsForwarded = true, Timeout = plan.Deadline.Left(context.Time) };
            var reply = await calls.SendAsync(node, new PeerRequest.Forward(handedOn) { DocumentVersion = plan.Snapshot.DocumentVersion }, plan.Deadline);
            switch (reply)
            {
                case PeerReply.Forwarded { Outcome: KvOutcome.Failed { Error: KvError.NotReady or KvError.UnknownBucketType } }:
                    // The peer is starting or its document is older than ours.
                    break;
                case PeerReply.Forwarded forwarded:
                    return forwarded.Outcome;
                case PeerReply.TimedOut or PeerReply.Unreachable { WasSent: true }:
                case PeerReply.Refused { Reason: var reason } when reason.StartsWith(PeerReply.Refused.Internal, StringComparison.Ordinal):
                    return new KvOutcome.Failed(new KvError.Timeout(Indeterminate: true));
                case PeerReply.Overloaded { IsOfAnswer: true }:
                    return new KvOutcome.Failed(new KvError.Overload(Indeterminate: true));
            }
        }

        return null;
    }

    private static bool Contains(RequestPlan plan, NodeId node, int before)
    {
        for (var i = 0; i < before; i++)
        {
            if (plan.Preflist[i].Node == node)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// `if_none_match` and `if_not_modified`: a read before the write, as in Riak. Not atomic: of two writers at once both may pass. Any failure of the read fails
    /// the condition too, where Riak's `if_none_match` would go on: a refusal can be retried, a value overwritten in a partition cannot.
    /// </summary>
    private async Task<KvError?> ConditionFailsAsync(KvRequest.Put request, BucketProps props, Deadline deadline)
    {
        if (!request.IfNoneMatch && !request.IfNotModified)
        {
            return null;
        }

        var read = new KvRequest.Get { Key = request.Key, NVal = request.NVal, SloppyQuorum = request.SloppyQuorum, HeadOnly = true };
        return await GetAsync(read, props, deadline) switch
        {
            KvOutcome.Found when request.IfNoneMatch => new KvError.MatchFound(),
            KvOutcome.Found found when request.IfNotModified && !found.Object.Clock.SameHistory(request.Context) => new KvError.Modified(),
            KvOutcome.NotFound when request.IfNotModified => new KvError.NotFoundForCondition(),
            KvOutcome.Failed failed => failed.Error,
            _ => null,
        };
    }

    /// <summary>A read for the clock, unless one was given, and a write of a tombstone under it (reference 2.5).</summary>
    private async Task<KvOutcome> DeleteAsync(KvRequest.Delete request, BucketProps props, Deadline deadline)
    {
        var seen = request.Context;
        if (seen is null)
        {
            var read = new KvRequest.Get
            {
                Key = request.Key,
                R = OrRw(request, props, request.R),
                Pr = request.Pr,
                NVal = request.NVal,
                SloppyQuorum = request.SloppyQuorum,
                NodeConfirms = request.NodeConfirms,
                HeadOnly = true,
            };
            switch (await GetAsync(read, props, deadline))
            {
                case KvOutcome.Found found:
                    seen = found.Object.Clock;
                    break;
                case var other:
                    return other;
            }
        }

        var put = new KvRequest.Put
        {
            Key = request.Key,
            Content = new Sibling { Dot = null, IsTombstone = true },
            Context = seen,
            IsExpiry = request.IsExpiry,
            W = OrRw(request, props, request.W),
            Dw = OrRw(request, props, request.Dw),
            Pw = request.Pw,
            NVal = request.NVal,
            SloppyQuorum = request.SloppyQuorum,
            NodeConfirms = request.NodeConfirms,
            IsForwarded = request.IsForwarded,
            Timeout = deadline.Left(context.Time),
        };
        var outcome = await PutAsync(put, props, deadline);
        if (outcome is not KvOutcome.Stored)
        {
            return outcome;
        }

        if (request.NVal is null)
        {
            reaper.Schedule(request.Key);
        }

        return new KvOutcome.Deleted();
    }

    /// <summary>`rw` stands for the quorums that a delete does not name, if it names none.</summary>
    private static QuorumValue OrRw(KvRequest.Delete request, BucketProps props, QuorumValue own) =>
        request.R.IsDefault && request.W.IsDefault && request.Dw.IsDefault && own.IsDefault
            ? request.Rw.IsDefault ? props.Rw : request.Rw
            : own;
}
