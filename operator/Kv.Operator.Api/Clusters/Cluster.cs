using k8s.Models;
using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Api.Clusters;

/// <summary>A ring of storage nodes.</summary>
[KubernetesEntity(Group = KvApi.Group, ApiVersion = KvApi.Version, Kind = "Cluster", PluralName = "clusters")]
[KubernetesEntityShortNames("kvc")]
[Categories("kv")]
[ScaleSubresource(".spec.nodes", ".status.nodes", ".status.selector")]
[Description("A masterless ring of storage nodes that keeps what it acknowledged.")]
[ValidationRule("size(self.metadata.name) <= 32", nameof(NameFits), "the name of a Cluster is at most 32 characters, so that the names of its pods and Services fit", FieldPath = ".metadata.name")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Ready\")].status", "Ready", "string")]
[GenericAdditionalPrinterColumn(".spec.nodes", "Desired", "integer")]
[GenericAdditionalPrinterColumn(".status.readyNodes", "Nodes", "integer", Description = "Nodes that are ready")]
[GenericAdditionalPrinterColumn(".status.version", "Version", "string")]
[GenericAdditionalPrinterColumn(".status.operation.kind", "Operation", "string", Description = "What the operator is in the middle of")]
[GenericAdditionalPrinterColumn(".status.operation.phase", "Phase", "string")]
[GenericAdditionalPrinterColumn(".status.ring.version", "Ring", "integer", Description = "Version of the cluster document")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".status.summary", "Status", "string", Description = "What is going on, in a sentence")]
[GenericAdditionalPrinterColumn(".status.ring.members", "Members", "integer", Priority = 1, Description = "Nodes that are in the ring")]
[GenericAdditionalPrinterColumn(".status.ring.pendingTransfers", "Transfers", "integer", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.operation.progressPercent", "Percent", "integer", Priority = 1, Description = "How much of the operation is done, where it can be counted")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"UnderReplicated\")].status", "UnderReplicated", "string", Priority = 1, Description = "Whether copies of data are gone")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Blocked\")].reason", "Blocked", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Degraded\")].reason", "Degraded", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.operation.message", "Message", "string", Priority = 1, Description = "What the operation waits for, in a sentence")]
public sealed class Cluster : CustomKubernetesEntity<ClusterSpec, ClusterStatus>
{
    public static bool NameFits(Cluster self) => (self.Metadata?.Name ?? "").Length <= 32;
}
