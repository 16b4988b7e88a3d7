using System.Globalization;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;

namespace Kv.Operator.Manifests;

/// <summary>What the objects of a cluster are called. Names never change once they are given, since volumes are found by them.</summary>
internal static class Names
{
    public const string ManagedBy = "kv-operator";
    public const string ClusterLabel = "kv.dev/cluster";
    public const string ZoneLabel = "kv.dev/zone";
    public const string DataVolume = "data";
    public const string NodeContainer = "node";

    /// <summary>On the volume claim of a node that has left.</summary>
    public const string ReleasedAnnotation = "kv.dev/released";

    public static string StatefulSet(Cluster cluster, string zone) => zone == ZoneShares.NoZone ? cluster.Metadata.Name : $"{cluster.Metadata.Name}-{zone}";

    public static string Headless(Cluster cluster) => $"{cluster.Metadata.Name}-headless";

    public static string Client(Cluster cluster) => cluster.Metadata.Name;

    public static string Config(Cluster cluster) => $"{cluster.Metadata.Name}-config";

    public static string DisruptionBudget(Cluster cluster) => cluster.Metadata.Name;

    public static string ServiceAccount(Cluster cluster) => $"{cluster.Metadata.Name}-node";

    public static string Pod(Cluster cluster, string zone, int ordinal) => $"{StatefulSet(cluster, zone)}-{ordinal}";

    /// <summary>Null for a pod of another StatefulSet.</summary>
    public static int? OrdinalOf(string statefulSet, string pod) =>
        pod.StartsWith(statefulSet + "-", StringComparison.Ordinal) && int.TryParse(pod.AsSpan(statefulSet.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) ? ordinal : null;

    /// <summary>As a StatefulSet names them.</summary>
    public static string VolumeClaim(string pod) => $"{DataVolume}-{pod}";

    /// <summary>Null for the claim of another volume than the data's.</summary>
    public static string? NodeOfClaim(string claim) => claim.StartsWith(DataVolume + "-", StringComparison.Ordinal) ? claim[(DataVolume.Length + 1)..] : null;

    /// <summary>A pod's name in DNS, without the cluster's domain, which the resolver of any pod adds.</summary>
    public static string PodHost(Cluster cluster, string pod) => $"{pod}.{Headless(cluster)}.{cluster.Metadata.NamespaceProperty}.svc";
}
