using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>A change that takes more than one pass. Its times are here and not in memory, so that a restart of the operator does not reset them.</summary>
[Description("A change that takes more than one pass.")]
public sealed class OperationStatus
{
    [Required]
    [Length(1, 64)]
    [Description("Create, ScaleOut, ScaleIn, Replace or Rollout.")]
    public string Kind { get; set; } = "";

    [Required]
    [Length(1, 64)]
    [Description("The step that it is at.")]
    public string Phase { get; set; } = "";

    [Required]
    [Description("When it began.")]
    public DateTimeOffset StartedAt { get; set; }

    [Required]
    [Description("When something about it last moved.")]
    public DateTimeOffset LastProgressAt { get; set; }

    [Items(0, 256)]
    [ItemLength(16, 16)]
    [Description("Ids of the nodes that the operator takes out of the ring: what it staged itself it may take back, before it is committed.")]
    public List<string>? Leaving { get; set; }

    [Length(0, 256)]
    [Description("What is compared to see whether something moved.")]
    public string? Progress { get; set; }

    [Length(0, 1024)]
    [Description("What it waits for, in a sentence.")]
    public string? Message { get; set; }
}
