using k8s.Models;
using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>Compute resources of each node, as in a container.</summary>
[Description("Compute resources of each node, as in a container.")]
public sealed class ClusterResources
{
    public const string QuantityPattern = "^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$";

    [Items(0, 8)]
    [ItemLength(1, 32)]
    [Pattern(QuantityPattern)]
    [Description("What the scheduler sets aside.")]
    public Dictionary<string, IntOrString>? Requests { get; set; }

    [Items(0, 8)]
    [ItemLength(1, 32)]
    [Pattern(QuantityPattern)]
    [Description("What a node may use at most.")]
    public Dictionary<string, IntOrString>? Limits { get; set; }
}
