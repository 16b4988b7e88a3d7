using k8s.Models;
using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Api.BucketTypes;

/// <summary>A class of buckets with its own replication and conflict rules.</summary>
[KubernetesEntity(Group = KvApi.Group, ApiVersion = KvApi.Version, Kind = "BucketType", PluralName = "buckettypes")]
[KubernetesEntityShortNames("kvbt")]
[Categories("kv")]
[Description("A class of buckets with its own replication and conflict rules. Deleting the object leaves the type in the cluster, since buckets may use it.")]
[GenericAdditionalPrinterColumn(".spec.clusterRef.name", "Cluster", "string")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Active\")].status", "Active", "string")]
[GenericAdditionalPrinterColumn(".spec.nVal", "N", "integer")]
[GenericAdditionalPrinterColumn(".spec.allowMult", "Siblings", "boolean")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Active\")].reason", "Reason", "string")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Active\")].message", "Message", "string", Priority = 1)]
public sealed class BucketType : CustomKubernetesEntity<BucketTypeSpec, BucketTypeStatus>
{
    /// <summary>The name that clients use.</summary>
    public string TypeName => Spec.Name ?? Metadata.Name;
}
