using System.Collections.Immutable;
using CsCheck;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Quorum;
using Kv.Core.Rings;
using Xunit;

namespace Kv.Core.Tests.Membership;

/// <summary>Documents and changes for this folder's tests.</summary>
internal static class DocumentSamples
{
    public static readonly Guid ClusterId = new("0b8d4ed2-7d5c-4c58-9a0c-1f2e3d4c5b6a");

    public static NodeId Id(int number) => new((ulong)number);

    public static Member Node(int number, string zone = "") => new(
        Id(number),
        $"node{number}",
        zone,
        MemberState.Joining,
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add("peer", $"127.0.0.1:{9000 + number}"));

    public static ClusterDocument Single(int ringSize = 16) => DocumentRules.Create(ClusterId, "test", ringSize, Node(1));

    /// <summary>A settled cluster of nodes 1 to <paramref name="nodes"/>.</summary>
    public static ClusterDocument Cluster(int nodes, int ringSize = 16)
    {
        var document = Single(ringSize);
        if (nodes == 1)
        {
            return document;
        }

        for (var number = 2; number <= nodes; number++)
        {
            document = Change(document, new DocumentChange.StageJoin(Node(number)));
        }

        return Settle(Commit(document));
    }

    public static ClusterDocument Commit(ClusterDocument document) =>
        Change(document, new DocumentChange.CommitPlan(ClusterPlan.Compute(document)?.Id ?? "nothing staged"));

    public static ClusterDocument Settle(ClusterDocument document) =>
        Change(document, new DocumentChange.CompleteTransfers(RingTransition.Pending(document.Ring)));

    public static ClusterDocument Change(ClusterDocument document, DocumentChange change)
    {
        var changed = Assert.IsType<DocumentChangeResult.Changed>(DocumentRules.Apply(document, change));
        Assert.Equal(document.Version + 1, changed.Document.Version);
        return changed.Document;
    }

    public static void Refused(ClusterDocument document, DocumentChange change, string reason) =>
        Assert.Equal(reason, Assert.IsType<DocumentChangeResult.Refused>(DocumentRules.Apply(document, change)).Reason);

    public static void Unchanged(ClusterDocument document, DocumentChange change) =>
        Assert.IsType<DocumentChangeResult.Unchanged>(DocumentRules.Apply(document, change));

    public static Gen<BucketProps> GenProps { get; } = Gen.Select(Gen.Int[1, 7], Gen.Bool, Gen.Int[-3, 5], Gen.Int[-1, 5000], Gen.Int[0, 2]).Select(
        (n, mult, quorum, delete, word) => new BucketProps
        {
            NVal = n,
            AllowMult = mult,
            DvvEnabled = !mult,
            R = QuorumValue.FromCode(quorum == 0 ? 1 : quorum),
            DeleteMode = new DeleteMode(delete),
            Backend = word == 0 ? null : $"backend{word}",
            DataType = word == 2 ? "hll" : null,
            TtlSeconds = word == 1 ? 60 : null,
            HllPrecision = word == 2 ? 14 : null,
            Durability = (Stores.Durability)word,
        });

    /// <summary>Changes that often make sense to a small cluster, and often do not.</summary>
    public static Gen<DocumentChange> GenChange { get; } = Gen.OneOf<DocumentChange>(
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 3]).Select((n, z) => (DocumentChange)new DocumentChange.StageJoin(Node(n, z == 0 ? "" : $"z{z}"))),
        Gen.Int[1, 7].Select(n => (DocumentChange)new DocumentChange.StageLeave(Id(n))),
        Gen.Const((DocumentChange)new DocumentChange.ClearStaged()),
        Gen.Select(Gen.Int[0, 15], Gen.Int[1, 7], Gen.Int[1, 7]).Array[0, 4].Select(ts => (DocumentChange)new DocumentChange.CompleteTransfers(
            [.. ts.Select(t => new Transfer(new PartitionId(t.Item1), Id(t.Item2), Id(t.Item3), 0))])),
        Gen.Select(Gen.Int[1, 7], Gen.Int[1, 9]).Select((n, port) => (DocumentChange)new DocumentChange.SetEndpoints(Id(n), Node(port).Endpoints)),
        Gen.Int[1, 7].Select(n => (DocumentChange)new DocumentChange.MarkDown(Id(n))),
        Gen.Int[1, 7].Select(n => (DocumentChange)new DocumentChange.MarkUp(Id(n))),
        Gen.Select(Gen.Int[1, 7], Gen.Int[1, 9]).Select((dead, n) => (DocumentChange)new DocumentChange.StageReplace(Id(dead), Node(n))),
        Gen.Int[1, 7].Select(n => (DocumentChange)new DocumentChange.StageRemove(Id(n))),
        Gen.Int[1, 7].Select(n => (DocumentChange)new DocumentChange.ConfirmExit(Id(n))),
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 15].Array[0, 16]).Select((n, ps) => (DocumentChange)new DocumentChange.CompleteRebuild(Id(n), [.. ps.Select(p => new PartitionId(p))], CurrentRing)),
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 15].Array[0, 3]).Select((n, ps) => (DocumentChange)new DocumentChange.BeginRebuild(Id(n), [.. ps.Select(p => new PartitionId(p))], CurrentRing)),
        Gen.Select(Gen.Int[0, 3], GenProps).Select((t, p) => (DocumentChange)new DocumentChange.CreateBucketType($"type{t}", p)),
        Gen.Int[0, 3].Select(t => (DocumentChange)new DocumentChange.ActivateBucketType($"type{t}")),
        Gen.Select(Gen.Int[0, 3], GenProps).Select((t, p) => (DocumentChange)new DocumentChange.ActivateBucketType($"type{t}") { Props = p }),
        Gen.Select(Gen.Int[0, 3], GenProps).Select((t, p) => (DocumentChange)new DocumentChange.UpdateBucketType($"type{t}", p)),
        Gen.Select(Gen.Byte.Array[1, 3], Gen.Bool, GenProps).Select((b, typed, p) => (DocumentChange)new DocumentChange.SetBucketProps(new BucketName(typed ? "type1" : "default", b), p)),
        Gen.Byte.Array[1, 3].Select(b => (DocumentChange)new DocumentChange.ResetBucketProps(new BucketName("default", b))),
        Gen.Const((DocumentChange)new DocumentChange.CommitPlan(CurrentPlan)),
        Gen.Const((DocumentChange)new DocumentChange.CommitPlan(CurrentPlan)),
        Gen.Const((DocumentChange)new DocumentChange.CompleteTransfers(default)));

    /// <summary>Stands for the plan of the document that the change meets; a default array for its pending transfers. See <see cref="Resolve"/>.</summary>
    public const string CurrentPlan = "current";

    /// <summary>Stands for the last plan's version in the completion of a rebuild.</summary>
    public const long CurrentRing = -1;

    public static DocumentChange Resolve(ClusterDocument document, DocumentChange change) => change switch
    {
        DocumentChange.CommitPlan { PlanId: CurrentPlan } => new DocumentChange.CommitPlan(ClusterPlan.Compute(document)?.Id ?? "none"),
        DocumentChange.CompleteTransfers { Transfers.IsDefault: true } => new DocumentChange.CompleteTransfers(RingTransition.Pending(document.Ring)),
        DocumentChange.BeginRebuild { PlannedAt: CurrentRing } rebuild => rebuild with { PlannedAt = document.Ring.PlannedAt },
        DocumentChange.CompleteRebuild { PlannedAt: CurrentRing } rebuild => rebuild with { PlannedAt = document.Ring.PlannedAt },
        _ => change,
    };

    /// <summary>A document some changes away from a single node's.</summary>
    public static Gen<ClusterDocument> GenDocument { get; } = GenChange.Array[0, 30].Select(changes =>
        changes.Aggregate(Single(), (document, change) =>
            DocumentRules.Apply(document, Resolve(document, change)) is DocumentChangeResult.Changed changed ? changed.Document : document));
}
