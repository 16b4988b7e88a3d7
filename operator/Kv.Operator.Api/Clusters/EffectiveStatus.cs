using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>What is in force where the spec says nothing, or something else decides.</summary>
[Description("What is in force where the spec says nothing, or something else decides.")]
public sealed class EffectiveStatus
{
    [Length(0, 512)]
    [Description("The image that nodes start with from now on; absent while zones differ.")]
    public string? Image { get; set; }

    [Description("How many nodes a drain may take down now, as the disruption budget has it: none while that would cost a quorum.")]
    public int? MaxUnavailable { get; set; }
}
