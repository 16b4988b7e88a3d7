using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.BucketTypes;

/// <summary>A Cluster in the same namespace.</summary>
[Description("A Cluster in the same namespace.")]
public sealed class ClusterReference
{
    [Required]
    [Length(1, 32)]
    [Description("Its name.")]
    public string Name { get; set; } = "";
}
