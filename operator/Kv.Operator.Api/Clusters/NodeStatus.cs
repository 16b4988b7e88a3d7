using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>A node in a few words; kept small, since there may be hundreds.</summary>
[Description("A node in a few words.")]
public sealed class NodeStatus
{
    [Required]
    [Length(1, 63)]
    [Description("The node's name, which is its pod's.")]
    public string Name { get; set; } = "";

    [Length(0, 16)]
    [Description("The zone it is in.")]
    public string? Zone { get; set; }

    [Length(0, 16)]
    [Description("The identity on its volume.")]
    public string? NodeId { get; set; }

    [Length(0, 64)]
    [Description("The version that it runs.")]
    public string? Version { get; set; }

    [Length(0, 16)]
    [Description("Its state in the ring: Joining, Valid, Leaving, Exiting or Down; empty before it is a member.")]
    public string? MemberState { get; set; }

    [Description("Whether its pod is ready.")]
    public bool Ready { get; set; }

    [Description("Partitions that it owns.")]
    public int? Partitions { get; set; }

    [Description("Bytes of data that it keeps, to about a tenth.")]
    public long? DataBytes { get; set; }

    [Description("Whether its disk is nearly full: since less than a twentieth was free, until a tenth is.")]
    public bool? DiskPressure { get; set; }

    [Length(0, 256)]
    [Description("What is wrong with it.")]
    public string? Message { get; set; }
}
