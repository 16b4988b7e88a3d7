using System.Text.Json.Serialization;
using k8s.Models;
using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Api.BucketTypes;

/// <summary>A class of buckets with its own replication and conflict rules.</summary>
[KubernetesEntity(Group = KvApi.Group, ApiVersion = KvApi.Version, Kind = "BucketType", PluralName = "buckettypes")]
[KubernetesEntityShortNames("kvbt")]
[Categories("kv")]
[Description("A class of buckets with its own replication and conflict rules. Deleting the object leaves the type in the cluster, since buckets may use it.")]
[ValidationRule(
    "!has(oldSelf.status) || !has(oldSelf.status.state) || oldSelf.status.state != 'Active' || self.spec.nVal == oldSelf.spec.nVal",
    nameof(KeepsNVal),
    "nVal of an active bucket type cannot be changed",
    FieldPath = ".spec.nVal")]
[ValidationRule(
    "(has(self.status) && has(self.status.observedGeneration)) || !has(self.spec.backend) || self.spec.backend in ['faster', 'ordered', 'memory']",
    nameof(KnowsBackend),
    "the backend is one of faster, ordered, memory",
    FieldPath = ".spec.backend")]
[GenericAdditionalPrinterColumn(".spec.clusterRef.name", "Cluster", "string")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Active\")].status", "Active", "string")]
[GenericAdditionalPrinterColumn(".spec.nVal", "N", "integer")]
[GenericAdditionalPrinterColumn(".spec.allowMult", "Siblings", "boolean")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".status.summary", "Status", "string", Description = "What is going on, in a sentence")]
[GenericAdditionalPrinterColumn(".status.state", "State", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Accepted\")].reason", "Accepted", "string", Priority = 1)]
public sealed class BucketType : CustomKubernetesEntity<BucketTypeSpec, BucketTypeStatus>
{
    /// <summary>The name that clients use.</summary>
    public string TypeName => Spec.Name ?? Metadata.Name;

    /// <summary>Whether it asks for another type than the one that it was accepted as, by name or cluster: an API server without CEL lets such a write through.</summary>
    [JsonIgnore]
    public bool IsRenamed => (Status.AcceptedName is { } name && name != TypeName) || (Status.AcceptedCluster is { } cluster && cluster != Spec.ClusterRef.Name);

    /// <summary>Of a new object only, which has no status: an older one with another name could be neither changed nor told about.</summary>
    public static bool KnowsBackend(BucketType self) => self.Status.ObservedGeneration is not null || self.Spec.Backend is null or "faster" or "ordered" or "memory";

    public static bool KeepsNVal(BucketType self, BucketType old) => old.Status.State != "Active" || self.Spec.NVal == old.Spec.NVal;
}
