using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Stores;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One write (riak_kv_put_fsm; reference 2.2) on a node of its preference list. The local vnode gives the dot and applies it; from that moment the frontier
/// object, encoded once, travels to the other replicas while the local disk syncs; success needs the local durable copy and the quorums. A write without a
/// coordinator (`asis`, write-once types) goes to all replicas alike. Replies come on any thread and take turns under a lock.
/// </summary>
internal sealed class PutCoordinator : DeadlineWheel.Entry, ICoordinatedWrite
{
    private readonly CoordinatorContext context;
    private readonly ReplicaCalls calls;
    private readonly RequestPlan plan;
    private readonly KvRequest.Put request;
    private readonly PutQuorumRules rules;
    private readonly int coordinator;
    private readonly StandIns standIns = new();
    private readonly TaskCompletionSource<KvOutcome> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Guards all below.
    private readonly Lock gate = new();
    private readonly PutQuorum quorum;
    private KvObject? written;
    private bool isAnswered;

    // Of a write without a coordinator: replicas that refused it as stale, the first that took it, and those not heard of.
    private List<int>? refused;
    private int taker = ReplicaCalls.NoSource;
    private int unheard;

    /// <param name="context">What coordinators share.</param>
    /// <param name="calls">The way to replicas.</param>
    /// <param name="plan">Where the request goes; its list has passed the rules' check.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="rules">Its options, resolved.</param>
    /// <param name="coordinator">This node's place in the list, or <see cref="PutQuorum.NoCoordinator"/>.</param>
    public PutCoordinator(CoordinatorContext context, ReplicaCalls calls, RequestPlan plan, KvRequest.Put request, PutQuorumRules rules, int coordinator)
    {
        (this.context, this.calls, this.plan, this.request, this.rules) = (context, calls, plan, request, rules);
        this.coordinator = coordinator;
        quorum = new PutQuorum(rules, plan.Preflist, coordinator);
    }

    /// <summary>Of what replicas are sent. Where nobody coordinates, each of them is who does.</summary>
    private Durability Durability => coordinator == PutQuorum.NoCoordinator ? plan.Props.CoordinatorDurability : plan.Props.ReplicaDurability;

    /// <summary>The local vnode does not serve the partition any more; nothing was done, and the document with this version says where to go.</summary>
    public long MovedAtVersion { get; private set; }

    /// <summary>All replicas were sealed since the write was planned and refused it: nothing was done, and a new plan knows better.</summary>
    public bool IsStale { get; private set; }

    /// <summary>The object as it was written, once it was.</summary>
    public KvObject? Written
    {
        get
        {
            lock (gate)
            {
                return written;
            }
        }
    }

    // hot
    public Task<KvOutcome> RunAsync()
    {
        context.Deadlines.Add(this, plan.Deadline);
        if (coordinator == PutQuorum.NoCoordinator)
        {
            var content = UncoordinatedContent();
            var sent = plan.Props.WriteOnce ? KvObject.WriteOnce(content) : KvObject.AsSent(content, request.Context);
            OnApplied(sent, ObjectCodec.Encode(sent));
        }
        else
        {
            _ = CoordinateAsync();
        }

        return outcome.Task;
    }

    /// <summary>The write has its dot and can be read here: from now on replicas may have it.</summary>
    public void OnApplied(KvObject applied, ReadOnlyMemory<byte> stored)
    {
        lock (gate)
        {
            written = applied;
            unheard = plan.Preflist.Length;
        }

        for (var i = 0; i < plan.Preflist.Length; i++)
        {
            if (i != coordinator)
            {
                _ = ReplicateAsync(i, stored);
            }
        }
    }

    protected internal override void OnDeadline()
    {
        lock (gate)
        {
            quorum.Conclude();
            Decide();
        }
    }

    private async Task CoordinateAsync()
    {
        var partition = plan.Preflist[coordinator].Partition;
        var reply = await context.Gate.CoordinateAsync(partition, plan.Key, request, plan.Props, plan.Snapshot.DocumentVersion, this);
        lock (gate)
        {
            if (reply is { Reply: PeerReply.Done, Error: null })
            {
                quorum.Add(coordinator, PutReplyKind.Durable);
                Decide();
                return;
            }

            if (written is not null)
            {
                // Applied and sent to others, but not durable here: the write may come to live.
                quorum.Add(coordinator, PutReplyKind.Failed);
                Decide();
                return;
            }

            if (reply.Reply is PeerReply.WrongOwner moved)
            {
                MovedAtVersion = moved.DocumentVersion;
            }

            Answer(new KvOutcome.Failed(KvErrors.OfCoordinator(reply)));
        }
    }

    private async Task ReplicateAsync(int replica, ReadOnlyMemory<byte> stored)
    {
        // Where primaries or nodes are counted, a stand-in must not pass for the replica that it replaces.
        var mayStandIn = plan.Sloppy && rules.Pw == 0 && rules.NodeConfirms == 0;
        var reply = await calls.PutAsync(plan, replica, stored, VnodePutKind.Replicate, Durability, mayStandIn ? standIns : null, source: coordinator);
        lock (gate)
        {
            if (coordinator == PutQuorum.NoCoordinator && !Follow(replica, stored, reply))
            {
                return;
            }

            Count(replica, reply);
        }
    }

    private void Count(int replica, PeerReply reply)
    {
        if (reply is PeerReply.TimedOut)
        {
            // The transport's clock may strike first: silence up to the deadline is a timeout, whoever notices it.
            quorum.Conclude();
        }

        quorum.Add(replica, reply switch
        {
            PeerReply.Done => PutReplyKind.Durable,
            PeerReply.Overloaded => PutReplyKind.Overloaded,
            _ => PutReplyKind.Failed,
        });
        Decide();
    }

    /// <summary>
    /// A write without a coordinator that a replica refuses as stale comes to it from one that took it, if there is such a one: what that holds by then, since the
    /// write may have been deleted meanwhile. Whether the reply counts now.
    /// </summary>
    private bool Follow(int replica, ReadOnlyMemory<byte> stored, PeerReply reply)
    {
        unheard--;
        if (reply is PeerReply.StaleFence)
        {
            (refused ??= []).Add(replica);
        }
        else if (reply is PeerReply.Done && taker == ReplicaCalls.NoSource)
        {
            taker = replica;
        }

        if (refused is not null && taker != ReplicaCalls.NoSource)
        {
            foreach (var waiting in refused)
            {
                _ = CatchUpAsync(waiting, stored);
            }

            refused = null;
        }
        else if (refused is not null && unheard == 0)
        {
            IsStale = refused.Count == plan.Preflist.Length;
            foreach (var without in refused.Where(waiting => waiting != replica))
            {
                Count(without, new PeerReply.StaleFence());
            }
        }

        return reply is not PeerReply.StaleFence || (unheard == 0 && taker == ReplicaCalls.NoSource);
    }

    private async Task CatchUpAsync(int replica, ReadOnlyMemory<byte> stored)
    {
        var reply = await calls.PutAsync(plan, replica, stored, VnodePutKind.Replicate, Durability, source: taker);
        lock (gate)
        {
            Count(replica, reply);
        }
    }

    private void Decide()
    {
        if (isAnswered)
        {
            return;
        }

        switch (quorum.Verdict)
        {
            case QuorumVerdict.Met:
                Answer(new KvOutcome.Stored(Shown()));
                break;
            case QuorumVerdict.Unreachable:
                // A replica that was not heard of may have the write as well, and what waits for its turn at the vnode here will be done: a failure after sending is never certain.
                Answer(KvErrors.Failed(quorum.Failure!, indeterminate: true));
                break;
        }
    }

    /// <summary>Of a write-once type nothing, whatever was asked (reference 9.5): what was sent may have lost to what was there, and nobody has read that.</summary>
    private KvObject? Shown() => plan.Props.WriteOnce ? null : request.ReturnBody ? written : request.ReturnHead ? written?.ToHead() : null;

    private void Answer(KvOutcome answer)
    {
        isAnswered = true;
        context.Deadlines.Remove(this);
        outcome.TrySetResult(answer);
    }

    /// <summary>What nobody gives a dot keeps the time and tag that it was sent with, and gets them here where it has none.</summary>
    private Sibling UncoordinatedContent()
    {
        var content = request.Content;
        var now = context.Time.GetUtcNow();
        var micros = (now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
        return content with
        {
            LastModifiedMicroseconds = content.LastModifiedMicroseconds == 0 ? micros : content.LastModifiedMicroseconds,
            VTag = content.VTag.Length == 0 ? VTags.Of(plan.Self, micros, context.NextTag()) : content.VTag,
        };
    }
}
