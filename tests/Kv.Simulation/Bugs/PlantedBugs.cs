using System.Collections.Immutable;
using Kv.Cluster;
using Kv.Cluster.Peers;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Kv.Simulation.Plans;
using Kv.TestKit;

namespace Kv.Simulation.Bugs;

/// <summary>The mistakes that the simulation is proved with: `make sim-bugs` finds each within its number of seeds.</summary>
public static class PlantedBugs
{
    private const int Endless = 1_000_000;

    private const string VotesRecord = "document-acceptor";

    private static readonly PeerReply Done = new PeerReply.Done();

    public static ImmutableArray<PlantedBug> All { get; } = [.. OfStores(), .. OfRecords(), .. OfSenders(), .. OfReceivers(), .. OfDoors(), .. OfAgreement(), .. OfReaping(), .. OfReplication(), .. OfQueues(), .. OfTrees(), .. OfRebuilds(), .. OfIndexes(), .. OfWhatEnds()];

    private static bool HasIndex(SimPlan plan) => plan.Types.Any(type => type.IsOrdered);

    private static bool HasCrowdsThatList(SimPlan plan) => plan.Events.OfType<Crowd>().Any(crowd => crowd.Lists);

    private static IEnumerable<PlantedBug> OfStores() =>
    [
        new("no-fsync", "a write is acknowledged without a sync", 200, () => new() { Store = real => new BentStores.WithoutFsync(real) }),
        new("silent-full-disk", "a write that a full disk refuses is acknowledged", 40, () => new() { Store = real => new BentStores.SilentWhenFull(real) }),
        new("fold-without-last", "a fold ends one entry early, and what it gave is dropped", 20, () => new() { Store = real => new BentStores.FoldWithoutLast(real) }),
        new("fold-without-tombstones", "a handoff leaves tombstones out: nobody needs them", 60, () => new() { Store = real => new BentStores.FoldWithoutTombstones(real) }),
        new("blind-read", "a read misses a key now and then", 5, () => new() { Store = real => new BentStores.BlindNowAndThen(real) }),
        new("short-batch", "the last entry of a batch is not written", 20, () => new() { Store = real => new BentStores.WithoutLastOfBatch(real) }),
        new("no-tombstones", "each replica removes a deleted object by itself, at once", 20, () => new() { Store = real => new BentStores.WithoutTombstones(real) }),
        new("memory-unforgotten", "a vnode whose memory is gone at a clean stop goes on as the actor that it was", 400, () => new() { Store = real => new BentStores.WithoutForgetting(real) }) { MayShow = plan => plan.Types.Any(type => type.IsInMemory) && plan.Events.OfType<Fault.Stop>().Any() },
        new("drop-without-delete", "a dropped partition's data stays on disk", 5, () => new() { Store = real => new BentStores.ForgetfulDrop(real) }),
    ];

    private static IEnumerable<PlantedBug> OfRecords() =>
    [
        new("reused-epoch", "a restart finds an old record of its epochs and gives the same dots again", 40, () => Stale("vnode-actors")),
        new("stale-document", "a restart finds the first document that the node ever held", 5, () => Stale("cluster-document")),
        new("late-document", "a document is used before it is on disk", 5, () => Late("cluster-document")),
        new("late-vote", "an acceptor answers before its vote is on disk", 200, () => Late(VotesRecord)) { MayShow = LateDuels.AreIn },
        new("late-epoch", "a raised epoch is used before it is on disk", 60, () => Late("vnode-actors")),
    ];

    private static IEnumerable<PlantedBug> OfSenders() =>
    [
        new("hint-dropped-early", "handed-off data is dropped before its acknowledgement", 60, () => new()
        {
            Sending = (_, _, _, request, next) =>
            {
                if (request is not PeerRequest.HandoffBatch { Entries.Count: > 0 })
                {
                    return next(request);
                }

                _ = next(request).AsTask();
                return new(Done);
            },
        }),
        new("transfer-without-new-writes", "a write that comes while a partition moves is not passed on", 1000, () => new()
        {
            Sending = (_, _, _, request, next) => request is PeerRequest.VnodePut { Kind: VnodePutKind.Handoff } ? new(Done) : next(request),
        }),
        new("empty-transfer", "a partition counts as moved though nothing was sent", 60, () => new()
        {
            Sending = (_, _, _, request, next) => request is PeerRequest.HandoffBatch { Entries.Count: > 0 } ? new(Done) : next(request),
        }),
    ];

    private static IEnumerable<PlantedBug> OfReceivers() =>
    [
        new("half-a-batch", "half of a handed-off batch is merged, and all of it confirmed", 20, () => new()
        {
            Handling = (_, _, _, request, next) =>
                next(request is PeerRequest.HandoffBatch batch ? batch with { Entries = [.. batch.Entries.Take(batch.Entries.Count / 2)] } : request),
        }),
        new("mixed-up-reply", "a replica answers with another key's object now and then", 5, () =>
        {
            PeerReply.Object? before = null;
            var count = 0;
            return new()
            {
                Handling = async (_, _, _, request, next) =>
                {
                    var reply = await next(request);
                    if (request is not PeerRequest.VnodeGet { HeadOnly: false } || reply is not PeerReply.Object { Stored: not null } answer)
                    {
                        return reply;
                    }

                    (var mixed, before) = (before, answer);
                    return ++count % 10 == 0 && mixed is not null ? mixed : reply;
                },
            };
        }),
    ];

    private static IEnumerable<PlantedBug> OfDoors() =>
    [
        new("newest-context", "a write replaces what is there, not what its client saw", 5, () => new()
        {
            Asking = async (request, next) => request is KvRequest.Put put && await next(new KvRequest.Get { Key = put.Key, HeadOnly = true }) is KvOutcome.Found found
                ? await next(put with { Context = found.Object.Clock })
                : await next(request),
        }),
        new("blind-delete", "a delete takes along what its client never saw", 20, () => new()
        {
            Asking = (request, next) => next(request is KvRequest.Delete delete ? delete with { Context = null } : request),
        }),
        new("failure-acknowledged", "a write that may have failed is acknowledged", 40, () => new()
        {
            Asking = async (request, next) => await next(request) is var outcome && request is KvRequest.Put { ReturnBody: false, ReturnHead: false } && outcome is KvOutcome.Failed { Error.IsIndeterminate: true }
                ? new KvOutcome.Stored(null)
                : outcome,
        }),
        new("pw-ignored", "a write does not wait for primaries", 100, () => new()
        {
            Asking = (request, next) => next(request is KvRequest.Put put ? put with { Pw = QuorumValue.Of(0), W = QuorumValue.One, Dw = QuorumValue.One } : request),
        }),
        new("pr-ignored", "a read does not wait for primaries", 100, () => new()
        {
            Asking = (request, next) => next(request is KvRequest.Get get ? get with { Pr = QuorumValue.Of(0), R = QuorumValue.One } : request),
        }),
        new("confirms-ignored", "a write does not wait for a second node", 200, () => new()
        {
            Asking = (request, next) => next(request is KvRequest.Put put ? put with { NodeConfirms = QuorumValue.Of(0), W = QuorumValue.One, Dw = QuorumValue.One, Pw = QuorumValue.Of(0) } : request),
        }),
        new("context-lost", "a delete forgets what it deletes", 40, () => new()
        {
            Asking = (request, next) => next(request is KvRequest.Delete { Context: not null } delete ? delete with { Context = VersionVector.Empty } : request),
        }),
    ];

    private static IEnumerable<PlantedBug> OfAgreement() =>
    [
        new("promise-without-memory", "an acceptor votes for a lower ballot than it promised", 200, () => new() { Handling = (_, _, _, request, next) => BentMessages.AcceptAnything(request, next) }),
        new("forgetful-acceptor", "an acceptor forgets over a restart what it promised and accepted", 200, () => Stale(VotesRecord)) { MayShow = LateDuels.AreIn },
        new("told-before-decided", "a document is told before a majority has accepted it", 400, () => new() { Sending = (_, _, _, request, next) => BentMessages.TellBeforeDecided(request, next) }),
        new("commit-of-anything", "a commit carries out what is staged now, and not what its administrator looked at", 100, () => new() { Handling = (node, _, _, request, next) => BentMessages.CommitAnything(node, request, next) }) { MayShow = plan => plan.Events.OfType<AdminCall>().Any(call => call is AdminCall.Join or AdminCall.Leave) },
        new("exit-without-question", "an exit is confirmed without asking the member what it holds", 40, () => new()
        {
            Sending = (_, _, _, request, next) => request is PeerRequest.GetHoldings ? new(new PeerReply.Holdings(long.MaxValue, []) { DocumentVersion = request.DocumentVersion }) : next(request),
        }),
        new("same-id-after-loss", "a node that lost its disk goes on under its old id, and gives its dots again", 100, () => new() { KeepsId = true }),
    ];

    private static IEnumerable<PlantedBug> OfReaping() =>
    [
        new("lone-reap", "replicas remove a tombstone by themselves a while after it came, with a primary down", 100, LoneReap),
        new("silence-is-consent", "a reaper waits for nobody's answer", 600, () => new() { Sending = (_, _, _, request, next) => BentMessages.TakeSilenceForConsent(request, next) }),
    ];

    private static IEnumerable<PlantedBug> OfReplication() =>
    [
        new("old-owner", "a write goes to who owned the partition before, and counts as the new owner's", 200, OldOwner),
        new("unsent-replica", "a write is not sent to the other replicas, and counts as theirs", 100, () => new() { Sending = (_, _, _, request, next) => BentMessages.SendNoReplica(request, next) }),
        new("early-acknowledgement", "a replica confirms a write that it puts off", 100, () => new() { Handling = (_, context, _, request, next) => BentMessages.ConfirmEarly(context, request, next) }),
    ];

    private static IEnumerable<PlantedBug> OfQueues() =>
    [
        new("endless-mailbox", "a mailbox takes whatever comes", 100, () => new() { Limits = limits => limits with { VnodeMailboxLimit = Endless } }),
        new("endless-requests", "a node takes all requests that come", 100, () => new() { Limits = limits => limits with { MaxConcurrentRequests = Endless } }),
        new("endless-transfers", "a node hands over everything at once", 100, () => new() { Limits = limits => limits with { HandoffConcurrency = Endless } }),
        new("endless-turns", "a vnode does not wait for its disk", 100, () => new() { Limits = limits => limits with { VnodeUnsyncedBatches = Endless } }),
        new("endless-listings", "a node reads all listings that come", 100, () => new() { Limits = limits => limits with { MaxListings = Endless } }) { MayShow = HasCrowdsThatList },
        new("endless-listings-of-a-vnode", "a vnode is read by all listings that come", 100, () => new() { Limits = limits => limits with { MaxListingsPerVnode = Endless } }) { MayShow = HasCrowdsThatList },
        new("endless-scans", "a vnode reads its index for all that ask", 200, () => new() { Limits = limits => limits with { MaxScansPerVnode = Endless } }) { MayShow = plan => HasIndex(plan) && HasCrowdsThatList(plan) },
        new("endless-exchanges", "a node compares all trees at once", 20, () => new() { Limits = limits => limits with { ExchangeConcurrency = Endless } }),
    ];

    private static IEnumerable<PlantedBug> OfTrees() =>
    [
        new("tree-change-forgotten", "a write does not change the hash tree now and then", 40, () => new() { Store = real => new BentStores.WithoutTreeChange(real) }),
        new("trees-of-yesterday", "trees that are built anew miss the last write", 40, () => new() { Store = real => new BentStores.WithTreesOfYesterday(real) }),
    ];

    private static IEnumerable<PlantedBug> OfRebuilds() =>
    [
        new("rebuilt-unasked", "a partition counts as rebuilt though nobody has sent what he has", 100, () => new() { Sending = (_, _, _, request, next) => BentMessages.TakeAllForSent(request, next) }),
        new("rebuilt-but-one", "a key is left out where a partition is rebuilt", 100, () => new() { Sending = (node, _, _, request, next) => BentMessages.SendAllButOne(node, request, next) }),
    ];

    private static IEnumerable<PlantedBug> OfIndexes() =>
    [
        new("index-entry-stays", "an object that changes keeps the index entries that it had", 40, () => new() { Store = real => new BentStores.WithoutIndexRemovals(real) }) { MayShow = HasIndex },
        new("index-entry-forgotten", "an index entry is left out now and then", 40, () => new() { Store = real => new BentStores.WithoutSomeIndexEntries(real) }) { MayShow = HasIndex },
        new("first-page-for-all", "a query takes the first page of a vnode's index for all of it", 40, () => new() { Sending = (_, _, _, request, next) => BentMessages.TakeFirstPageForAll(request, next) }) { MayShow = HasIndex },
    ];

    private static IEnumerable<PlantedBug> OfWhatEnds() =>
    [
        new("served-when-over", "a read does not look whether an object's time is over", 40, () => new() { Answering = LookOnDisk }) { MayShow = plan => plan.Types.Any(type => type.TtlSeconds is not null) },
    ];

    /// <summary>Who finds nothing to read gives what he has himself.</summary>
    private static KvOutcome LookOnDisk(SimNode node, KvRequest request, KvOutcome outcome) =>
        request is KvRequest.Get && outcome is KvOutcome.NotFound { TombstoneContext: null }
            && node.Volume.Partitions.Select(partition => node.Volume.Contents(partition).GetValueOrDefault(request.Key.Encoded.ToArray())).OfType<byte[]>()
                .Select(stored => ObjectCodec.Decode(stored)).FirstOrDefault(held => !held.IsTombstone) is { } held
            ? new KvOutcome.Found(held)
            : outcome;

    private static PlantedSeams LoneReap()
    {
        PlantedSeams seams = null!;
        ValueTask<PeerReply> Bend(SimNode node, SimContext context, PeerRequest request, Func<PeerRequest, ValueTask<PeerReply>> next)
        {
            if (BentMessages.TombstoneOf(request) is { } key)
            {
                context.After(TimeSpan.FromSeconds(1), () => seams.Tell(node, context, new PeerRequest.Reap([key]) { DocumentVersion = node.Document?.Version ?? 0 }));
            }

            return next(request);
        }

        return seams = new()
        {
            Sending = (node, context, _, request, next) => Bend(node, context, request, next),
            Handling = (node, context, _, request, next) => Bend(node, context, request, next),
        };
    }

    private static PlantedSeams OldOwner()
    {
        PlantedSeams seams = null!;
        var owners = new Dictionary<PartitionId, NodeId>();
        var fences = new Dictionary<NodeId, Fence>();
        return seams = new()
        {
            Sending = async (node, _, peer, request, next) => request is PeerRequest.VnodePut { Kind: VnodePutKind.Replicate } put
                && node.Document?.Ring.Owner(put.Partition) == peer
                && !owners.TryAdd(put.Partition, peer)
                && owners[put.Partition] is var old && old != peer && old != node.Id
                && fences.TryGetValue(old, out var fence)
                    ? await seams.SendAsync(node, old, put with { Fence = fence }) ?? await next(request)
                    : await next(request),
            Handling = async (node, _, _, request, next) =>
            {
                var reply = await next(request);
                fences[node.Id] = reply.Fence;
                return reply;
            },
        };
    }

    private static PlantedSeams Stale(string record)
    {
        var first = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        return new() { NodeState = (context, real) => new BentStates.Stale(context, real, record, first) };
    }

    private static PlantedSeams Late(string record) => new() { NodeState = (context, real) => new BentStates.Late(context, real, record) };
}
