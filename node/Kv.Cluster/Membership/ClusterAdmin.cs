using System.Collections.Immutable;
using Kv.Cluster.Async;
using Kv.Cluster.Handoff;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Membership;
using Kv.Core.Rings;
using Kv.Core.Security;
using Kv.Core.Stores;

namespace Kv.Cluster.Membership;

/// <summary>
/// What an administrator (the operator, the command line, a front end that changes bucket properties) can ask of a node. Any member
/// answers; every call is safe to repeat. Refusals are values (<see cref="AdminRefusal"/>) whose words are <see cref="RefusalReason"/>'s and
/// `not_in_cluster`, `already_member`, `unavailable`.
/// </summary>
public sealed partial class ClusterAdmin
{
    private const string NotInClusterReason = "not_in_cluster";
    private const string AlreadyMemberReason = "already_member";
    private const string UnavailableReason = "unavailable";
    private const string InvalidArgumentReason = "invalid_argument";

    private readonly AsyncMutex creating = new();
    private readonly ClusterOptions options;
    private readonly Member self;
    private readonly ClusterState state;
    private readonly DocumentStore documents;
    private readonly DocumentAgreement agreement;
    private readonly Gossip gossip;
    private readonly IPeerTransport transport;
    private readonly Func<ImmutableArray<TransferView>> transfers;
    private readonly NodeWatcher watcher;
    private readonly VnodeHost host;
    private readonly KvClient client;
    private readonly Func<VolumeSpace> space;
    private readonly TimeProvider time;
    private readonly Random random;

    internal ClusterAdmin(
        ClusterOptions options,
        Member self,
        ClusterState state,
        DocumentStore documents,
        DocumentAgreement agreement,
        Gossip gossip,
        IPeerTransport transport,
        Func<ImmutableArray<TransferView>> transfers,
        NodeWatcher watcher,
        VnodeHost host,
        KvClient client,
        Func<VolumeSpace> space,
        TimeProvider time,
        Random random)
    {
        this.options = options;
        this.self = self;
        this.state = state;
        this.documents = documents;
        this.agreement = agreement;
        this.gossip = gossip;
        this.transport = transport;
        this.transfers = transfers;
        (this.watcher, this.host, this.client, this.space) = (watcher, host, client, space);
        this.time = time;
        this.random = random;
        FollowBucketTypes(state.Current);
        state.Subscribe(FollowBucketTypes);
    }

    private static AdminRefusal NotInCluster { get; } =
        new(AdminRefusalKind.FailedPrecondition, NotInClusterReason, "this node is in no cluster; create one, or stage its join from a member of one");

    public NodeView GetNode()
    {
        var snapshot = state.Current;
        var document = snapshot.Document ?? snapshot.RemovedBy;
        var drain = GetDrain();
        return new NodeView(document?.FindMember(self.Id) ?? self, document?.ClusterId, document?.ClusterName ?? "")
        {
            IsRemoved = snapshot.RemovedBy is not null,
            IsDraining = drain.IsDraining,
            HeldForOthers = drain.HintsToReturn + drain.HintsToKeep,
            Held = host.Open.Count + host.Damaged.Count,
            Damaged = host.Damaged.ToImmutableSortedDictionary(),
        };
    }

    /// <summary>Refused `not_in_cluster` where there is no document.</summary>
    public AdminResult<ClusterView> GetCluster()
    {
        var snapshot = state.Current;
        if (snapshot.Document is not { } document)
        {
            return NotInCluster;
        }

        var now = RingTransition.Count(document.Ring.Owners);
        var next = RingTransition.Count(document.Ring.NextOwners);
        return new ClusterView(
            document,
            [.. document.Members.Select(m => new MemberView(
                m, now.GetValueOrDefault(m.Id), next.GetValueOrDefault(m.Id), snapshot.IsUp(m.Id), gossip.VersionOf(m.Id)))],
            RingTransition.Pending(document.Ring).Length,
            !gossip.Behind(document, document.Version, m => snapshot.IsUp(m.Id)).Any(),
            DocumentAgreement.Claimant(snapshot));
    }

    /// <summary>
    /// Begins a cluster with this node as its one member. Repeated with the same id it changes nothing; refused `already_member` in another cluster.
    /// A null <paramref name="clusterId"/> draws one.
    /// </summary>
    public async ValueTask<AdminResult<ClusterView>> CreateClusterAsync(Guid? clusterId, string clusterName, int ringSize, CancellationToken cancel)
    {
        using var holder = await creating.EnterAsync();
        if ((state.Current.Document ?? state.Current.RemovedBy) is { } held)
        {
            return held.ClusterId == (clusterId ?? held.ClusterId)
                ? GetCluster()
                : new AdminRefusal(AdminRefusalKind.FailedPrecondition, AlreadyMemberReason, $"this node is in cluster {held.ClusterName} ({held.ClusterId})");
        }

        if (!Ring.IsValidSize(ringSize))
        {
            return new AdminRefusal(
                AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"a ring has a power of two of partitions between {Ring.MinSize} and {Ring.MaxSize}, not {ringSize}");
        }

        var document = DocumentRules.Create(clusterId ?? DrawId(), clusterName, ringSize, self);
        await documents.LearnAsync(document, cancel);
        return GetCluster();
    }

    /// <summary>Meets the nodes at these peer addresses and stages their joins. Refused `not_reachable`, `self_join`, `not_single_node` (it is in another cluster), `name_taken`.</summary>
    public async ValueTask<AdminResult<PlanView>> StageJoinAsync(IReadOnlyList<string> peerAddresses, CancellationToken cancel)
    {
        if (state.Current.Document is null)
        {
            return NotInCluster;
        }

        if (peerAddresses.Count is 0 or > ClusterDocument.MaxMembers)
        {
            return new AdminRefusal(AdminRefusalKind.InvalidArgument, InvalidArgumentReason, $"between 1 and {ClusterDocument.MaxMembers} addresses");
        }

        var met = await Task.WhenAll(peerAddresses.Select(address => MeetAsync(address, cancel).AsTask()));
        return met.FirstOrDefault(m => !m.IsOk) is { Refusal: { } refusal }
            ? refusal
            : await StageAsync(met.Select(m => new DocumentChange.StageJoin(m.Value!)), cancel);
    }

    public async ValueTask<AdminResult<ClusterView>> ClearStagedAsync(CancellationToken cancel) =>
        await ChangeAsync(new DocumentChange.ClearStaged(), cancel) is { } refusal ? refusal : GetCluster();

    public AdminResult<PlanView> GetPlan()
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        var plan = ClusterPlan.Compute(document);
        return plan is null
            ? new PlanView("", document, [], 0, [])
            : new PlanView(plan.Id, document, plan.Members, plan.Transfers.Length, plan.Warnings) { Rebuilding = plan.Rebuilding, Lost = plan.Lost };
    }

    /// <summary>
    /// Carries the plan out. Refused `plan_changed`, `pending_transfers`, `ring_not_ready`: a joining member, or one that is up, does not show the
    /// current document within <see cref="ClusterOptions.PeerDownAfter"/>.
    /// </summary>
    public async ValueTask<AdminResult<ClusterView>> CommitAsync(string planId, CancellationToken cancel)
    {
        if (state.Current.Document is not { } document)
        {
            return NotInCluster;
        }

        if (document.LastCommittedPlanId != planId && await WhyNotCommittedAsync(document, cancel) is { } notReady)
        {
            return notReady;
        }

        return await ChangeAsync(new DocumentChange.CommitPlan(planId), cancel) is { } refusal ? refusal : GetCluster();
    }

    /// <summary>Ownership transfers of the whole cluster and this node's hinted ones.</summary>
    public ImmutableArray<TransferView> GetTransfers() => transfers();

    private async ValueTask<AdminResult<Member>> MeetAsync(string address, CancellationToken cancel)
    {
        var reply = await transport.SendAsync(address, new PeerRequest.Identify(), Deadline.After(time, options.PeerDownAfter), cancel);
        if (reply is not PeerReply.Identity identity)
        {
            return new AdminRefusal(AdminRefusalKind.Unavailable, RefusalReason.NotReachable, $"no node answers at {address}");
        }

        var node = identity.Node;
        if (node.Id == self.Id)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.SelfJoin, $"{address} is this node itself");
        }

        // Its cluster id may be ours although it is no member: made twice, or taken back a moment ago and not told yet. Neither may slip in.
        var isMember = state.Current.Document?.FindMember(node.Id) is not null;
        if (identity.ClusterId is { } other && !isMember)
        {
            return new AdminRefusal(AdminRefusalKind.FailedPrecondition, RefusalReason.NotSingleNode, $"{node.Name} at {address} is in cluster {other} already");
        }

        return await WhyMayNotJoinAsync(address, node, cancel) is { } refusal ? refusal : node;
    }

    /// <summary>A node that does not know of security could never read the document of a cluster that has any.</summary>
    private async ValueTask<AdminRefusal?> WhyMayNotJoinAsync(string address, Member node, CancellationToken cancel) =>
        state.Current.Document is { Security.IsEmpty: false }
        && await transport.SendAsync(address, new PeerRequest.KnowsSecurity(), Deadline.After(time, options.PeerDownAfter), cancel) is not PeerReply.Done
            ? new AdminRefusal(AdminRefusalKind.FailedPrecondition, SecurityRefusal.NotSupported, $"{node.Name} at {address} does not say that it knows of security; upgrade it")
            : null;

    private async ValueTask<AdminResult<PlanView>> StageAsync(IEnumerable<DocumentChange> changes, CancellationToken cancel)
    {
        // Begun together, so that they are decided in one round.
        var results = await Task.WhenAll(changes.Select(change => ChangeAsync(change, cancel).AsTask()));
        return results.FirstOrDefault(r => r is not null) is { } refusal ? refusal : GetPlan();
    }

    private async ValueTask<AdminRefusal?> WhyNotCommittedAsync(ClusterDocument document, CancellationToken cancel)
    {
        if (document.Staged.Any(s => s.Lost is not null) && await CheckLossAsync(document, cancel) is { } refusal)
        {
            return refusal;
        }

        return document.Staged.Any(s => s is StagedChange.Leave) ? await CheckLeaveAsync(document, cancel) : await WaitForMembersAsync(cancel);
    }

    private async ValueTask<AdminRefusal?> WaitForMembersAsync(CancellationToken cancel)
    {
        var deadline = Deadline.After(time, options.PeerDownAfter);
        while (true)
        {
            var snapshot = state.Current;
            var document = snapshot.Document!;
            var behind = gossip.Behind(document, document.Version, m => m.State == MemberState.Joining || snapshot.IsUp(m.Id)).Select(m => m.Name).ToList();
            if (behind.Count == 0)
            {
                return null;
            }

            if (deadline.HasPassed(time))
            {
                var names = string.Join(", ", behind);
                return new AdminRefusal(
                    AdminRefusalKind.FailedPrecondition, RefusalReason.RingNotReady, $"version {document.Version} of the document is not seen on {names} yet");
            }

            await Task.Delay(options.HeartbeatInterval / 5, time, cancel);
        }
    }

    /// <summary>Null where the change has its effect.</summary>
    private async ValueTask<AdminRefusal?> ChangeAsync(DocumentChange change, CancellationToken cancel)
    {
        if (state.Current.Document is null)
        {
            return NotInCluster;
        }

        return await agreement.ChangeAsync(change, cancel) switch
        {
            null => new AdminRefusal(
                AdminRefusalKind.Unavailable, UnavailableReason, "no majority of the members answered in time; it may happen still: look before you repeat it"),
            DocumentChangeResult.Refused refused => new AdminRefusal(KindOf(refused.Reason), refused.Reason, refused.Message),
            _ => null,
        };
    }

    private static AdminRefusalKind KindOf(string reason) => reason switch
    {
        RefusalReason.Undefined or RefusalReason.NotMember => AdminRefusalKind.NotFound,
        SecurityRefusal.UnknownUser or SecurityRefusal.UnknownGroup or SecurityRefusal.UnknownUsers or SecurityRefusal.UnknownGroups or SecurityRefusal.UnknownRoles => AdminRefusalKind.NotFound,
        RefusalReason.AlreadyActive or RefusalReason.NameTaken or RefusalReason.DefaultType or SecurityRefusal.RoleExists => AdminRefusalKind.AlreadyExists,
        RefusalReason.InvalidName or RefusalReason.InvalidProps or RefusalReason.InvalidMember => AdminRefusalKind.InvalidArgument,
        SecurityRefusal.IllegalName or SecurityRefusal.ReservedName or SecurityRefusal.DuplicateRoles or SecurityRefusal.InvalidOption or SecurityRefusal.InvalidScope
            => AdminRefusalKind.InvalidArgument,
        _ => AdminRefusalKind.FailedPrecondition,
    };

    private Guid DrawId()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
