using Kv.Cluster.Peers;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One read (riak_kv_get_fsm; reference 2.4): asks one replica for the whole object and the others for their heads, fetches values where heads show something
/// that the whole one does not cover, answers when the quorum is met, and goes on collecting; when all have answered, the stale and the missing are repaired.
/// Replies come on any thread and take turns under a lock.
/// </summary>
internal sealed class GetCoordinator : DeadlineWheel.Entry
{
    private readonly CoordinatorContext context;
    private readonly ReplicaCalls calls;
    private readonly RequestPlan plan;
    private readonly KvRequest.Get request;
    private readonly GetQuorumRules rules;
    private readonly TaskCompletionSource<KvOutcome> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ReadRepairPlan?>? finished;

    // Guards all below.
    private readonly Lock gate = new();
    private readonly GetQuorum quorum;
    private readonly ReplicaAnswer[] answers;
    private HashSet<NodeId>? unreachable;
    private bool isDecided;
    private bool isFetching;
    private bool isAnswered;
    private bool isFinished;

    /// <param name="context">What coordinators share.</param>
    /// <param name="calls">The way to replicas.</param>
    /// <param name="plan">Where the request goes; its list has passed the rules' check.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="rules">Its options, resolved.</param>
    /// <param name="forReap">Told what became of the repair, once; then nothing is reaped by the read itself.</param>
    public GetCoordinator(
        CoordinatorContext context,
        ReplicaCalls calls,
        RequestPlan plan,
        KvRequest.Get request,
        GetQuorumRules rules,
        TaskCompletionSource<ReadRepairPlan?>? forReap = null)
    {
        (this.context, this.calls, this.plan, this.request, this.rules) = (context, calls, plan, request, rules);
        finished = forReap;
        quorum = new GetQuorum(rules, plan.Preflist);
        answers = new ReplicaAnswer[plan.Preflist.Length];
    }

    /// <summary>Asks every replica for the whole object, not one: so values are compared that differ where nothing else does.</summary>
    public bool ReadsWhole { get; init; }

    /// <summary>Told of a tombstone that all primaries hold; set by the owner.</summary>
    public Action<ObjectKey>? OnReapable { get; init; }

    /// <summary>Peers that could not be reached, of those that have answered so far.</summary>
    public IReadOnlySet<NodeId>? Unreachable
    {
        get
        {
            lock (gate)
            {
                return unreachable is null ? null : new HashSet<NodeId>(unreachable);
            }
        }
    }

    // hot
    public Task<KvOutcome> RunAsync()
    {
        context.Deadlines.Add(this, plan.Deadline);
        var whole = Math.Max(0, plan.IndexOfSelf(context.Gate.Damaged));

        // The others first: their answers travel while the local one is read.
        for (var i = 0; i < answers.Length; i++)
        {
            if (i != whole)
            {
                _ = TellingAsync(AskAsync(i, headOnly: !ReadsWhole));
            }
        }

        _ = TellingAsync(AskAsync(whole, request.HeadOnly && !ReadsWhole));
        return outcome.Task;
    }

    protected internal override void OnDeadline()
    {
        lock (gate)
        {
            if (!isAnswered)
            {
                isDecided = true;
                if (quorum.Conclude() == QuorumVerdict.Met && !NeedsValues(out _))
                {
                    AnswerMerged();
                }
                else
                {
                    Answer(KvErrors.Failed(quorum.Failure ?? new QuorumFailure.Timeout(), indeterminate: false));
                }
            }
        }
    }

    private async Task AskAsync(int replica, bool headOnly)
    {
        var reply = await calls.GetAsync(plan, replica, headOnly);
        Take(replica, reply);
    }

    private void Take(int replica, PeerReply reply)
    {
        var answer = AnswerOf(plan.Preflist[replica], reply);
        lock (gate)
        {
            answers[replica] = answer;
            if (reply is PeerReply.Unreachable)
            {
                (unreachable ??= []).Add(plan.Preflist[replica].Node);
            }

            if (reply is PeerReply.TimedOut)
            {
                // The transport's clock may strike first: silence up to the deadline is a timeout, whoever notices it.
                quorum.Conclude();
            }

            var verdict = quorum.Add(replica, answer.Kind);
            if (!isDecided && verdict != QuorumVerdict.Wait)
            {
                isDecided = true;
                Decide(verdict);
            }

            FinishIfComplete();
        }
    }

    private static ReplicaAnswer AnswerOf(PreflistEntry entry, PeerReply reply) => reply switch
    {
        PeerReply.Object { Stored: null } => ReplicaAnswer.Of(entry, null),
        PeerReply.Object { Stored: { } stored } when ObjectCodec.TryDecode(stored, out var held, out _) => ReplicaAnswer.Of(entry, held),
        PeerReply.Overloaded => new ReplicaAnswer(entry, GetReplyKind.Overloaded, null),
        _ => new ReplicaAnswer(entry, GetReplyKind.Failed, null),
    };

    private void Decide(QuorumVerdict verdict)
    {
        if (verdict == QuorumVerdict.Unreachable)
        {
            Answer(KvErrors.Failed(quorum.Failure!, indeterminate: false));
        }
        else if (NeedsValues(out _))
        {
            isFetching = true;
            _ = TellingAsync(FetchThenAnswerAsync());
        }
        else
        {
            AnswerMerged();
        }
    }

    /// <summary>Whether the merged object lacks values, and which replica has the first that is missing.</summary>
    private bool NeedsValues(out int replica)
    {
        replica = -1;
        if (request.HeadOnly || Merge() is not { IsHead: true } merged)
        {
            return false;
        }

        return IsHeldAsHead(merged, out replica);
    }

    private bool IsHeldAsHead(KvObject merged, out int replica)
    {
        foreach (var sibling in merged.Siblings)
        {
            if (!sibling.IsHead)
            {
                continue;
            }

            for (replica = 0; replica < answers.Length; replica++)
            {
                if (answers[replica].Object is { } held && held.Siblings.Any(other => other.IsHead && other.IsSameWrite(sibling)))
                {
                    return true;
                }
            }
        }

        replica = -1;
        return false;
    }

    /// <summary>A replica whose value cannot be had is as if it had not answered: its object counts no more, and the others' decide.</summary>
    private async Task FetchThenAnswerAsync()
    {
        while (true)
        {
            int replica;
            lock (gate)
            {
                if (isAnswered || !NeedsValues(out replica))
                {
                    break;
                }
            }

            var reply = await calls.GetAsync(plan, replica, headOnly: false);
            var answer = AnswerOf(plan.Preflist[replica], reply);
            lock (gate)
            {
                // What it has now may be newer than its head was; gone means that it was reaped in between.
                answers[replica] = answer;
                if (reply is PeerReply.Unreachable)
                {
                    (unreachable ??= []).Add(plan.Preflist[replica].Node);
                }

                if (answer.Kind is GetReplyKind.Failed or GetReplyKind.Overloaded && WhyTooFewAreLeft() is not null)
                {
                    break;
                }
            }
        }

        lock (gate)
        {
            isFetching = false;
            if (!isAnswered)
            {
                if (WhyTooFewAreLeft() is { } unmet)
                {
                    Answer(KvErrors.Failed(unmet, indeterminate: false));
                }
                else
                {
                    AnswerMerged();
                }
            }

            FinishIfComplete();
        }
    }

    /// <summary>Whether the answers that are left meet all rules, primaries and nodes among them, those that are still to come not counted; null where they do.</summary>
    private QuorumFailure? WhyTooFewAreLeft()
    {
        var left = new GetQuorum(rules, plan.Preflist);
        var verdict = QuorumVerdict.Wait;
        for (var i = 0; i < answers.Length; i++)
        {
            verdict = IsAnswer(answers[i].Kind) ? left.Add(i, answers[i].Kind) : verdict;
        }

        for (var i = 0; i < answers.Length; i++)
        {
            verdict = IsAnswer(answers[i].Kind) ? verdict : left.Add(i, answers[i].Kind == 0 ? GetReplyKind.Failed : answers[i].Kind);
        }

        return verdict == QuorumVerdict.Met ? null : left.Failure;
    }

    private static bool IsAnswer(GetReplyKind kind) => kind is GetReplyKind.Found or GetReplyKind.Tombstone or GetReplyKind.NotFound;

    private KvObject? Merge()
    {
        // hot: mostly all answers are copies of one object, the whole one among them.
        var copies = new KvObject?[answers.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            copies[i] = answers[i].Object;
        }

        return KvObject.Reconcile(copies, plan.Props);
    }

    private void AnswerMerged()
    {
        var merged = Merge();
        var found = merged is null ? null : Expiry.Left(merged, plan.Props, context.Clocks.Now);
        if (found is { IsTombstone: false } && finished is null)
        {
            context.Statistics.ObjectRead(found);
        }

        Answer(found switch
        {
            null => new KvOutcome.NotFound(null),
            { IsTombstone: true } => new KvOutcome.NotFound(found.Clock),
            // All objects of a write-once type have one clock, whichever of two values has won; and no clock tells that the time of a part is over which the client may have seen.
            _ when request.IfModified is { } known && !plan.Props.WriteOnce && known.SameHistory(found.Clock) && ReferenceEquals(found, merged) => new KvOutcome.Unchanged(),
            _ => new KvOutcome.Found(request.HeadOnly ? found.ToHead() : found),
        });
    }

    private void Answer(KvOutcome answer)
    {
        isAnswered = true;
        context.Deadlines.Remove(this);
        outcome.TrySetResult(answer);
    }

    private void FinishIfComplete()
    {
        if (!isFinished && !isFetching && isAnswered && quorum.Pending == 0)
        {
            isFinished = true;
            _ = TellingAsync(FinishAsync());
        }
    }

    /// <summary>All have answered: repair what is stale (reference 2.4 step 6). Nobody waits for it but a reaper.</summary>
    private async Task FinishAsync()
    {
        var repair = ReadRepairPlan.Create(answers, rules.NVal, plan.Props);
        var isRepaired = repair.Repairs.IsEmpty;
        if (!isRepaired && context.TryBeginRepair())
        {
            try
            {
                isRepaired = await RepairAsync(repair);
            }
            finally
            {
                context.EndRepair();
            }
        }

        if (finished is not null)
        {
            finished.TrySetResult(repair with { IsDone = isRepaired && Array.TrueForAll(answers, static answer => IsAnswer(answer.Kind)) });
        }
        else if (repair.MayReap)
        {
            OnReapable?.Invoke(plan.Key);
        }
    }

    /// <summary>Nobody awaits what goes on here: where memory runs out in it, whoever waits for the answer or for the repair has to be told.</summary>
    private async Task TellingAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (OutOfMemoryException)
        {
            lock (gate)
            {
                isDecided = isFinished = true;
                if (!isAnswered)
                {
                    Answer(KvErrors.Failed(new QuorumFailure.Overload(), indeterminate: false));
                }
            }

            finished?.TrySetResult(null);
        }
    }

    /// <summary>Whether all that were to be repaired are.</summary>
    private async Task<bool> RepairAsync(ReadRepairPlan repair)
    {
        for (var fetches = 0; repair.NeedsValues && fetches < answers.Length; fetches++)
        {
            if (!IsHeldAsHead(repair.Merged!, out var replica))
            {
                return false;
            }

            var answer = AnswerOf(plan.Preflist[replica], await calls.GetAsync(plan, replica, headOnly: false));
            answers[replica] = answer;
            repair = ReadRepairPlan.Create(answers, rules.NVal, plan.Props);
        }

        if (repair.Merged is not { IsHead: false } merged)
        {
            return false;
        }

        ReadOnlyMemory<byte> stored = ObjectCodec.Encode(merged);
        var isDone = true;
        foreach (var replica in repair.Repairs)
        {
            context.Statistics.ReadRepaired(wasMissing: answers[replica].Kind == GetReplyKind.NotFound);
            isDone &= await calls.PutAsync(plan, replica, stored, VnodePutKind.Repair, plan.Props.Durability) is PeerReply.Done;
        }

        return isDone;
    }
}
