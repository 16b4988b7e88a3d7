using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>The ring as its members have it.</summary>
[Description("The ring as its members have it.")]
public sealed class RingStatus
{
    [Description("Version of the cluster document.")]
    public long Version { get; set; }

    [Description("How many partitions the ring has.")]
    public int Partitions { get; set; }

    [Description("Nodes that are members, of whatever state.")]
    public int Members { get; set; }

    [Description("Members that own partitions: not those that join, nor those that have handed over all.")]
    public int Owners { get; set; }

    [Description("Whether all members that are up hold this version.")]
    public bool Converged { get; set; }

    [Description("Partitions that are on their way to another node.")]
    public int PendingTransfers { get; set; }
}
