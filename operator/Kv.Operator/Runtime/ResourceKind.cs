using System.Reflection;
using k8s.Models;

namespace Kv.Operator.Runtime;

/// <summary>A namespaced kind, and where the API server has it.</summary>
internal sealed record ResourceKind(string Group, string Version, string Kind, string Plural)
{
    public static ResourceKind Cluster { get; } = new(Api.KvApi.Group, Api.KvApi.Version, "Cluster", "clusters");

    public static ResourceKind BucketType { get; } = new(Api.KvApi.Group, Api.KvApi.Version, "BucketType", "buckettypes");

    public static ResourceKind StatefulSet { get; } = new("apps", "v1", "StatefulSet", "statefulsets");

    public static ResourceKind Service { get; } = new("", "v1", "Service", "services");

    public static ResourceKind ConfigMap { get; } = new("", "v1", "ConfigMap", "configmaps");

    public static ResourceKind ServiceAccount { get; } = new("", "v1", "ServiceAccount", "serviceaccounts");

    public static ResourceKind Pod { get; } = new("", "v1", "Pod", "pods");

    public static ResourceKind VolumeClaim { get; } = new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");

    public static ResourceKind Event { get; } = new("", "v1", "Event", "events");

    public static ResourceKind Lease { get; } = new("coordination.k8s.io", "v1", "Lease", "leases");

    public static ResourceKind DisruptionBudget(string version) => new("policy", version, "PodDisruptionBudget", "poddisruptionbudgets");

    /// <summary>Of one of our own kinds, by what its type says of itself.</summary>
    public static ResourceKind Of(Type entity) =>
        entity.GetCustomAttribute<KubernetesEntityAttribute>() is { } of
            ? new ResourceKind(of.Group, of.ApiVersion, of.Kind, of.PluralName)
            : throw new ArgumentException($"{entity.Name} is no kind of an API server", nameof(entity));

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Relative to the API server's root. Without a namespace: all of them.</summary>
    public string PathOf(string? @namespace, string? name = null, string? subresource = null) =>
        (Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}")
        + (@namespace is null ? "" : $"/namespaces/{@namespace}")
        + $"/{Plural}"
        + (name is null ? "" : $"/{name}")
        + (subresource is null ? "" : $"/{subresource}");
}
