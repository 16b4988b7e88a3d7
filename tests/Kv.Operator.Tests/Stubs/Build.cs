using System.Collections.Immutable;
using Kv.Operator.Api.BucketTypes;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Objects and observations to begin a test with.</summary>
internal static class Build
{
    public const string Uid = "553ee432-7ec9-4ffc-b922-5297404aae44";
    public static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static Cluster Cluster(int nodes = 3, Action<ClusterSpec>? change = null)
    {
        var cluster = new Cluster
        {
            ApiVersion = "kv.dev/v1alpha1",
            Kind = "Cluster",
            Metadata = new() { Name = "example", NamespaceProperty = "default", Uid = Uid, Generation = 1 },
            Spec = new ClusterSpec { Nodes = nodes },
        };
        change?.Invoke(cluster.Spec);
        return cluster;
    }

    public static BucketType BucketType(Action<BucketTypeSpec>? change = null)
    {
        var type = new BucketType
        {
            ApiVersion = "kv.dev/v1alpha1",
            Kind = "BucketType",
            Metadata = new() { Name = "siblings", NamespaceProperty = "default", Uid = "b", Generation = 1 },
            Spec = new BucketTypeSpec { ClusterRef = new ClusterReference { Name = "example" } },
        };
        change?.Invoke(type.Spec);
        return type;
    }

    public static string IdOf(int ordinal) => $"{ordinal + 1:x16}";

    /// <summary>A node that runs and answers; in the ring if <paramref name="inRing"/>.</summary>
    public static ObservedNode Node(int ordinal, bool inRing = true) => new($"example-{ordinal}", "", ordinal)
    {
        Running = true,
        Ready = inRing,
        AdminAddress = $"admin-{ordinal}",
        PeerAddress = $"peer-{ordinal}",
        Answer = new NodeAnswer(IdOf(ordinal), inRing ? Uid : "", "0.1.0"),
    };

    public static ObservedMember Member(int ordinal, MemberState state = MemberState.Valid, bool up = true) => new(IdOf(ordinal), $"example-{ordinal}", state, 10, 10, up);

    public static ObservedRing Ring(int members) => new()
    {
        Version = 7,
        RingSize = 64,
        Converged = true,
        HintViews = members,
        Members = [.. Enumerable.Range(0, members).Select(i => Member(i))],
        Owners = [.. Enumerable.Range(0, 64).Select(partition => partition % members)],
        NVals = [3],
    };

    /// <summary>A cluster as it should be.</summary>
    public static ObservedCluster Observed(int nodes, int members) => new()
    {
        Children = [new ObservedChild("StatefulSet", "example", ChildState.Current)],
        Workloads = [new ObservedWorkload("", "example", nodes) { StorageSize = "10Gi" }],
        Nodes = [.. Enumerable.Range(0, nodes).Select(i => Node(i, i < members))],
        Ring = members == 0 ? null : Ring(members),
    };

    public static ObservedCluster With(this ObservedCluster observed, int ordinal, Func<ObservedNode, ObservedNode> change) =>
        observed with { Nodes = observed.Nodes.SetItem(ordinal, change(observed.Nodes[ordinal])) };

    public static ObservedCluster WithRing(this ObservedCluster observed, Func<ObservedRing, ObservedRing> change) => observed with { Ring = change(observed.Ring!) };

    public static ObservedCluster WithMember(this ObservedCluster observed, int ordinal, Func<ObservedMember, ObservedMember> change) =>
        observed.WithRing(ring => ring with { Members = ring.Members.SetItem(ordinal, change(ring.Members[ordinal])) });

    public static ImmutableArray<T> List<T>(params T[] items) => [.. items];
}
