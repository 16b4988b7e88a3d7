using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>The volume of each node.</summary>
[Description("The volume of each node.")]
[ValidationRule("self.size == oldSelf.size", nameof(KeepsSize), "the size of the volumes is fixed when the cluster is made", FieldPath = ".size")]
[ValidationRule("has(self.storageClass) == has(oldSelf.storageClass) && (!has(self.storageClass) || self.storageClass == oldSelf.storageClass)", nameof(KeepsClass), "the storage class is fixed when the cluster is made", FieldPath = ".storageClass")]
public sealed class ClusterStorage
{
    [Length(1, 32)]
    [Pattern("^[1-9][0-9]*(\\.[0-9]+)?(k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$")]
    [Description("Of each node's volume.")]
    public string Size { get; set; } = "10Gi";

    [Length(1, 253)]
    [Description("Without it, the default storage class.")]
    public string? StorageClass { get; set; }

    [Description("What becomes of volumes that are no longer used.")]
    public StorageRetention Retention { get; set; } = new();

    public static bool KeepsSize(ClusterStorage self, ClusterStorage old) => self.Size == old.Size;

    public static bool KeepsClass(ClusterStorage self, ClusterStorage old) => self.StorageClass == old.StorageClass;
}
