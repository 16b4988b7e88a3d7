using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>A failure domain and where its pods may run.</summary>
[Description("A failure domain and where its pods may run.")]
public sealed class ClusterZone
{
    [Required]
    [Length(1, 16)]
    [Pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    [Description("Part of the names of the pods; cannot be changed.")]
    public string Name { get; set; } = "";

    [Length(1, 63)]
    [Description("The value of the label topology.kubernetes.io/zone that a machine of this zone has.")]
    public string? TopologyZone { get; set; }

    [Items(0, 16)]
    [ItemLength(0, 63)]
    [Description("Labels that a machine of this zone has.")]
    public Dictionary<string, string>? NodeSelector { get; set; }
}
