using System.Collections.Immutable;
using System.Globalization;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;

namespace Kv.Operator.Clusters;

/// <summary>What stands between the spec and what was seen: each with its reason. Pure.</summary>
internal static class ClusterBlocks
{
    public static ImmutableArray<ClusterBlock> Find(Cluster cluster, ObservedCluster observed) =>
        [.. OfWorld(cluster, observed), .. OfRing(cluster, observed)];

    private static IEnumerable<ClusterBlock> OfWorld(Cluster cluster, ObservedCluster observed)
    {
        foreach (var child in observed.Children.Where(child => child.State == ChildState.Foreign))
        {
            yield return new ClusterBlock(Conditions.Reasons.NameConflict, $"{child.Kind} {child.Name} belongs to somebody else", Stops: true);
        }

        if (ClusterRules.UnknownSettings(cluster) is { Count: > 0 } unknown)
        {
            yield return new ClusterBlock(Conditions.Reasons.InvalidSpec, string.Join("; ", unknown), Stops: false);
        }

        var spec = cluster.Spec;
        if (TooManyPartitions(spec) is { } tooMany)
        {
            // A ring that is there already is looked after as it is; it is not made of fewer nodes.
            yield return new ClusterBlock(Conditions.Reasons.TooManyPartitions, tooMany, Stops: observed.Ring is not { } ring || spec.Nodes < ring.Members.Length);
        }

        var zones = ZoneShares.ZonesOf(spec);
        foreach (var workload in observed.Workloads.Where(workload => !zones.Contains(workload.Zone)))
        {
            yield return new ClusterBlock(Conditions.Reasons.ZonesImmutable, $"zone {Quoted(workload.Zone)} has {workload.Replicas} nodes but is not in spec.zones", Stops: true);
        }

        foreach (var workload in observed.Workloads)
        {
            if (workload.StorageSize is { } size && size != spec.Storage.Size)
            {
                yield return new ClusterBlock(Conditions.Reasons.StorageImmutable, $"spec.storage.size is {spec.Storage.Size} but the volumes have {size}: they keep it", Stops: false);
            }

            if (workload.StorageSize is not null && workload.StorageClass != spec.Storage.StorageClass)
            {
                yield return new ClusterBlock(
                    Conditions.Reasons.StorageImmutable,
                    $"spec.storage.storageClass is {Quoted(spec.Storage.StorageClass)} but the volumes have {Quoted(workload.StorageClass)}: they keep it",
                    Stops: false);
            }
        }
    }

    /// <summary>A node divides its memory for so many partitions, and takes no more. One of several nodes may be away, and the others stand in for what it owns.</summary>
    private static string? TooManyPartitions(ClusterSpec spec)
    {
        var stores = int.TryParse(spec.Config?.GetValueOrDefault(NodeSettings.Stores), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : NodeSettings.DefaultStores;
        var sharing = Math.Max(1, spec.Nodes - 1);
        var most = (spec.RingSize + sharing - 1) / sharing;
        var away = sharing < spec.Nodes ? ", if one of its nodes is away" : "";
        return most <= stores ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"a ring of {spec.RingSize} on {spec.Nodes} nodes is {most} partitions for each{away}, and a node's memory is divided for {stores}: ask for more nodes, or set spec.config.{NodeSettings.Stores} to {most} and give each node the memory");
    }

    private static IEnumerable<ClusterBlock> OfRing(Cluster cluster, ObservedCluster observed)
    {
        foreach (var node in observed.Nodes.Where(node => node.Answer is { ClusterId.Length: > 0 } answer && !IsOurs(cluster, answer)))
        {
            yield return new ClusterBlock(
                Conditions.Reasons.ForeignNode,
                $"the volume of {node.Name} belongs to another cluster, and nothing is changed while it is here; to take that cluster over, annotate this Cluster with {ClusterIdAnnotation}={node.Answer!.ClusterId}",
                Stops: true);
        }

        if (observed.Ring is not { } ring)
        {
            if (cluster.Status.Ring is { Version: > 0 } seen && observed.Nodes.Length > 0 && observed.Nodes.All(node => node.Answer is { ClusterId.Length: 0 }))
            {
                yield return new ClusterBlock(
                    Conditions.Reasons.RingLost,
                    $"the ring was at version {seen.Version}, but the volumes of all nodes are empty; a new ring is not made over it. Restore the volumes, or delete the Cluster and make it anew",
                    Stops: true);
            }

            yield break;
        }

        if (ring.RingSize != cluster.Spec.RingSize)
        {
            yield return new ClusterBlock(
                Conditions.Reasons.RingSizeImmutable, $"spec.ringSize is {cluster.Spec.RingSize} but the ring has {ring.RingSize} partitions: it keeps them", Stops: false);
        }

        foreach (var staged in ring.Staged.Where(staged => !IsOurs(cluster, observed, ring, staged)))
        {
            yield return new ClusterBlock(
                Conditions.Reasons.ForeignStagedChange,
                $"somebody staged the {(staged.IsJoin ? "join" : "leave")} of {staged.NodeName}; the operator commits nothing until that is cleared or committed by hand",
                Stops: true);
        }

        foreach (var node in observed.Nodes)
        {
            if (node.Answer is { ClusterId.Length: 0 } answer && ring.MemberByName(node.Name) is { } member && member.Id != answer.Id && !Departures.IsLost(cluster, member))
            {
                yield return new ClusterBlock(
                    Conditions.Reasons.IdentityLost,
                    $"{node.Name} has an empty volume (node {answer.Id}), but the ring knows that name as node {member.Id}: bring its volume back, or put {member.Id} into spec.lostNodes, and the new node replaces it",
                    Stops: false);
            }
        }

        foreach (var member in ring.Members.Where(member => Departures.IsLost(cluster, member) && LossPlanner.IsUp(observed, member)))
        {
            yield return new ClusterBlock(Conditions.Reasons.LostNodeIsUp, $"{member.Name} (node {member.Id}) is in spec.lostNodes, and it is up: nothing is done about it", Stops: false);
        }
    }

    /// <summary>Names the ring of a Cluster that was deleted and whose volumes were kept: without it, they would be nobody's.</summary>
    public const string ClusterIdAnnotation = "kv.dev/cluster-id";

    /// <summary>The ring's id: that of the ring to take over, else the object's UID.</summary>
    public static string IdOf(Cluster cluster) => cluster.Metadata.Annotations?.TryGetValue(ClusterIdAnnotation, out var adopted) == true ? adopted : cluster.Metadata.Uid;

    /// <summary>The join of a node that we keep; the leave of one that is to leave, be it later, or of which we wrote down that it was to.</summary>
    private static bool IsOurs(Cluster cluster, ObservedCluster observed, ObservedRing ring, ObservedStaged staged) => staged.IsJoin
        ? observed.Nodes.Any(node => node.Answer?.Id == staged.NodeId || node.Name == staged.NodeName)
        : cluster.Status.Operation?.Leaving?.Contains(staged.LostId ?? staged.NodeId) == true
            || cluster.Spec.LostNodes?.Contains(staged.LostId ?? "") == true
            || cluster.Spec.LeavingNodes?.Contains(staged.NodeId) == true
            || Departures.Of(cluster, observed, ring).Any(member => member.Id == staged.NodeId);

    public static bool IsOurs(Cluster cluster, NodeAnswer answer) => string.Equals(answer.ClusterId, IdOf(cluster), StringComparison.OrdinalIgnoreCase);

    private static string Quoted(string? text) => string.IsNullOrEmpty(text) ? "not given" : $"`{text}`";
}
