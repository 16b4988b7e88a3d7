using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Api.Clusters;

/// <summary>What was seen of a cluster in the last pass; computed anew each time, never carried over.</summary>
[Description("What was seen of the cluster in the last pass.")]
public sealed class ClusterStatus : IConditionedStatus
{
    [Description("The generation of the spec that this status answers to.")]
    public long? ObservedGeneration { get; set; }

    [XListType("map")]
    [XListMapKeys("type")]
    [Items(0, 32)]
    [Description("Statements about the cluster.")]
    public List<Condition>? Conditions { get; set; }

    [Length(0, 512)]
    [Description("What is going on, in a sentence.")]
    public string? Summary { get; set; }

    [Description("Nodes that the spec wants.")]
    public int? DesiredNodes { get; set; }

    [Description("Nodes that exist.")]
    public int? Nodes { get; set; }

    [Description("Nodes that serve.")]
    public int? ReadyNodes { get; set; }

    [Length(0, 512)]
    [Description("Selects the pods of the nodes.")]
    public string? Selector { get; set; }

    [Length(0, 64)]
    [Description("The version of the nodes, once all run the same.")]
    public string? Version { get; set; }

    [Length(0, 64)]
    [Description("The version that nodes already run which were restarted, while others have yet to be; absent where none differs.")]
    public string? TargetVersion { get; set; }

    [Description("The ring as its members have it.")]
    public RingStatus? Ring { get; set; }

    [Description("What is in force where the spec says nothing, or something else decides.")]
    public EffectiveStatus? Effective { get; set; }

    [Description("What the operator is in the middle of.")]
    public OperationStatus? Operation { get; set; }

    [XListType("map")]
    [XListMapKeys("name")]
    [Items(0, 256)]
    [Description("Each node in a few words.")]
    public List<NodeStatus>? NodeStatuses { get; set; }
}
