using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>What becomes of volumes that are no longer used.</summary>
[Description("What becomes of volumes that are no longer used. Retain loses nothing by mistake.")]
public sealed class StorageRetention
{
    [Description("When the Cluster is deleted.")]
    public RetentionPolicy WhenDeleted { get; set; } = RetentionPolicy.Retain;

    [Description("When a node has left the ring: such a volume holds nothing that counts any more. A kept one is made anew when its node's name is used again.")]
    public RetentionPolicy WhenScaled { get; set; } = RetentionPolicy.Retain;
}
