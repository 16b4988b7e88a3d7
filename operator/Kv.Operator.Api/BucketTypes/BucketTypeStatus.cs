using Kv.Operator.Api.Attributes;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Api.BucketTypes;

/// <summary>What was seen of a bucket type in the last pass.</summary>
[Description("What was seen of the bucket type in the last pass.")]
public sealed class BucketTypeStatus : IConditionedStatus
{
    [Description("The generation of the spec that this status answers to.")]
    public long? ObservedGeneration { get; set; }

    [XListType("map")]
    [XListMapKeys("type")]
    [Items(0, 32)]
    [Description("Statements about the bucket type.")]
    public List<Condition>? Conditions { get; set; }

    [Length(0, 512)]
    [Description("What is going on, in a sentence.")]
    public string? Summary { get; set; }

    [Length(0, 16)]
    [Description("Where it is in its life: Created, Ready or Active; empty before it exists.")]
    public string? State { get; set; }

    [Length(0, 253)]
    [Description("The name that clients use of the type that the object was accepted as. Another one in the spec is refused.")]
    public string? AcceptedName { get; set; }

    [Length(0, 32)]
    [Description("The cluster of the type that the object was accepted as. Another one in the spec is refused.")]
    public string? AcceptedCluster { get; set; }

    [Items(0, 256)]
    [ItemLength(1, 63)]
    [XListType("set")]
    [Description("Nodes that are not known to have it as it is now.")]
    public List<string>? MissingOn { get; set; }
}
