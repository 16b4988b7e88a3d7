using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>A change that takes more than one pass. Its times are here and not in memory, so that a restart of the operator does not reset them.</summary>
[Description("A change that takes more than one pass.")]
public sealed class OperationStatus
{
    [Required]
    [Length(1, 64)]
    [Description("Create, ScaleOut, ScaleIn, Replace, Rebuild or Rollout.")]
    public string Kind { get; set; } = "";

    [Required]
    [Length(1, 64)]
    [Description("The step that it is at.")]
    public string Phase { get; set; } = "";

    [Length(0, 63)]
    [Description("The node that the step is about, where it is about one.")]
    public string? Node { get; set; }

    [RangeMinimum(0)]
    [RangeMaximum(100)]
    [Description("How much is done of what can be counted: of the partitions that move, or of the nodes that restart; absent where nothing can be counted.")]
    public int? ProgressPercent { get; set; }

    [Description("The most partitions that were on their way at once since they began to move.")]
    public int? Transfers { get; set; }

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
