using Kv.Cluster.Async;
using Kv.Cluster.Peers;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Membership;

/// <summary>
/// Changes the cluster document (design section 3). A change goes to the claimant, the lowest member that is up, so that proposers rarely duel; what queues
/// up there meanwhile is decided in one round. Where the claimant cannot be reached the node proposes itself: who proposes is a matter of speed, only the
/// majority of voters is a matter of truth. Changes are idempotent, so that a round whose fate is unknown is simply tried again.
/// </summary>
internal sealed partial class DocumentAgreement(
    ClusterOptions options,
    ClusterState state,
    DocumentStore documents,
    DocumentVoter voter,
    IPeerTransport transport,
    TimeProvider time,
    Random random,
    BackgroundTasks background,
    ILogger<DocumentAgreement> log)
{
    /// <summary>Changes in one round; more wait for the next.</summary>
    private const int MaxBatch = 256;

    /// <summary>Changes that wait; past it a change is turned away as if nobody could be reached.</summary>
    private const int MaxQueued = 4096;

    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(1);

    /// <summary>Guards <see cref="queue"/> and <see cref="isDeciding"/>.</summary>
    private readonly Lock gate = new();
    private readonly Queue<Pending> queue = new();
    private readonly DocumentNews news = new(options, transport, time, background);
    private bool isDeciding;
    private Ballot highest = Ballot.Zero;

    /// <summary>Ends what is under way when the node stops; set before the first change.</summary>
    public CancellationToken Stopping { get; set; }

    /// <summary>
    /// Carries a change out. When it returns, this node holds a document with the change's effect. Null where no majority could be asked in
    /// time: the change may happen still.
    /// </summary>
    public async ValueTask<DocumentChangeResult?> ChangeAsync(DocumentChange change, CancellationToken cancel)
    {
        var claimant = Claimant(state.Current);
        if (claimant != state.Current.Self)
        {
            var deadline = Deadline.After(time, options.DocumentChangeTimeout);
            var reply = await transport.SendAsync(claimant, new PeerRequest.Propose(change), PeerLane.Request, deadline, cancel);
            if (reply is PeerReply.Proposed proposed)
            {
                await CatchUpAsync(claimant, proposed, cancel);
                return proposed.Result;
            }
        }

        return await ProposeAsync(change, cancel);
    }

    /// <summary>Carries a change out as its proposer: what a member asks by <see cref="PeerRequest.Propose"/>.</summary>
    public async ValueTask<DocumentChangeResult?> ProposeAsync(DocumentChange change, CancellationToken cancel)
    {
        var pending = new Pending(change);
        lock (gate)
        {
            if (queue.Count >= MaxQueued || Stopping.IsCancellationRequested)
            {
                return null;
            }

            queue.Enqueue(pending);
            if (!isDeciding)
            {
                isDeciding = true;
                background.Start(DecideAllAsync, Stopping);
            }
        }

        // Not Task.WaitAsync: over a source that continues asynchronously it would leave the scheduler.
        await using var giveUp = cancel.UnsafeRegister(static (s, token) => ((Pending)s!).Result.TrySetCanceled(token), pending);
        return await pending.Result.Task;
    }

    /// <summary>The lowest member with a vote that is up.</summary>
    public static NodeId Claimant(ClusterSnapshot snapshot)
    {
        foreach (var member in snapshot.Document?.Members ?? [])
        {
            if (member.HasVote && snapshot.IsUp(member.Id))
            {
                return member.Id;
            }
        }

        return snapshot.Self;
    }

    /// <summary>What the claimant decided is what the caller will look for in this node's document next.</summary>
    private async ValueTask CatchUpAsync(NodeId claimant, PeerReply.Proposed proposed, CancellationToken cancel)
    {
        if (proposed.Result is DocumentChangeResult.Changed changed)
        {
            await documents.LearnAsync(changed.Document, cancel);
        }
        else if (proposed.DocumentVersion > state.Current.DocumentVersion)
        {
            var deadline = Deadline.After(time, options.PeerDownAfter);
            if (await transport.SendAsync(claimant, new PeerRequest.GetDocument(), PeerLane.Request, deadline, cancel) is PeerReply.Document { Held: { } newer })
            {
                await documents.LearnAsync(newer, cancel);
            }
        }
    }

    private async Task DecideAllAsync(CancellationToken cancel)
    {
        var batch = new List<Pending>();
        try
        {
            while (TakeBatch(batch))
            {
                await DecideAsync(batch, cancel);
            }
        }
        catch
        {
            // The node stops or its store failed: nobody shall wait for what will not be decided here.
            lock (gate)
            {
                isDeciding = false;
                batch.AddRange(queue);
                queue.Clear();
            }

            batch.ForEach(p => p.Result.TrySetResult(null));
            throw;
        }
    }

    private bool TakeBatch(List<Pending> batch)
    {
        batch.Clear();
        lock (gate)
        {
            while (batch.Count < MaxBatch && queue.TryDequeue(out var pending))
            {
                batch.Add(pending);
            }

            isDeciding = batch.Count > 0;
            return isDeciding;
        }
    }

    private async ValueTask DecideAsync(List<Pending> batch, CancellationToken cancel)
    {
        var deadline = Deadline.After(time, options.DocumentChangeTimeout);
        var backOff = FirstBackOff;
        do
        {
            if (state.Current.Document is not { } current)
            {
                break;
            }

            var results = Apply(current, batch, out var proposed);
            if (proposed is null)
            {
                Answer(batch, results);
                return;
            }

            var step = await RunRoundAsync(current, proposed, cancel);
            switch (step)
            {
                case ProposerStep.Decided decided:
                    await LearnAndTellAsync(current, decided.Document, cancel);
                    if (decided.IsOwn)
                    {
                        LogDecided(decided.Document.Version, batch.Count);
                        Answer(batch, results);
                        return;
                    }

                    continue;

                case ProposerStep.Behind behind:
                    await documents.LearnAsync(behind.Document, cancel);
                    continue;

                case ProposerStep.Outbid outbid:
                    highest = outbid.Highest > highest ? outbid.Highest : highest;
                    break;
            }

            LogAgain(proposed.Version, step.ToString());
            await Task.Delay(backOff * (0.5 + random.NextDouble()), time, cancel);
            backOff = backOff < LongestBackOff ? 2 * backOff : LongestBackOff;
        }
        while (!deadline.HasPassed(time));

        Answer(batch, null);
    }

    private async ValueTask<ProposerStep> RunRoundAsync(ClusterDocument current, ClusterDocument proposed, CancellationToken cancel)
    {
        highest = DocumentProposer.NextBallot(highest, state.Current.Self);
        var proposer = new DocumentProposer(current, proposed, highest);
        var round = new DocumentRound(options, state.Current.Self, current, proposer, voter, transport, time, background);
        return await round.RunAsync(cancel);
    }

    /// <summary>Applies the changes on top of one another as one new version; <paramref name="proposed"/> is null where they change nothing.</summary>
    private static DocumentChangeResult[] Apply(ClusterDocument current, List<Pending> batch, out ClusterDocument? proposed)
    {
        var results = new DocumentChangeResult[batch.Count];
        var document = current;
        for (var i = 0; i < batch.Count; i++)
        {
            results[i] = DocumentRules.Apply(document, batch[i].Change);
            if (results[i] is DocumentChangeResult.Changed changed)
            {
                document = changed.Document with { Version = current.Version + 1 };
            }
        }

        proposed = document.Version == current.Version ? null : document;
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = results[i] is DocumentChangeResult.Changed ? new DocumentChangeResult.Changed(document) : results[i];
        }

        return results;
    }

    private async ValueTask LearnAndTellAsync(ClusterDocument before, ClusterDocument decided, CancellationToken cancel)
    {
        await documents.LearnAsync(decided, cancel);
        foreach (var member in decided.Members.Where(m => m.Id != state.Current.Self))
        {
            news.Tell(member.Id, decided, cancel);
        }

        // Those whose join was taken back are no peers any more; whoever misses this asks when it sees the newer version. This node may have decided its own removal.
        foreach (var gone in before.Members.Where(m => m.Id != state.Current.Self && decided.FindMember(m.Id) is null && m.Endpoints.ContainsKey(PeerEndpoint.Name)))
        {
            news.Tell(gone.Id, gone.Endpoints[PeerEndpoint.Name], decided, cancel);
        }
    }

    private static void Answer(List<Pending> batch, DocumentChangeResult[]? results)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].Result.TrySetResult(results?[i]);
        }
    }

    private sealed class Pending(DocumentChange change)
    {
        public DocumentChange Change { get; } = change;

        public TaskCompletionSource<DocumentChangeResult?> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(2120, LogLevel.Information, "version {Version} of the cluster document is decided, with {Changes} changes")]
    private partial void LogDecided(long version, int changes);

    [LoggerMessage(2121, LogLevel.Information, "version {Version} of the cluster document is not decided yet: {Step}")]
    private partial void LogAgain(long version, string step);
}
