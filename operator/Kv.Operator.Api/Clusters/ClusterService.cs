using Kv.Operator.Api.Attributes;

namespace Kv.Operator.Api.Clusters;

/// <summary>The Service that applications use.</summary>
[Description("The Service that applications use.")]
public sealed class ClusterService
{
    [EnumValues("ClusterIP", "NodePort", "LoadBalancer")]
    [Description("As in a Service.")]
    public string Type { get; set; } = "ClusterIP";

    [Items(0, 32)]
    [ItemLength(0, 1024)]
    [Description("Put on the Service, for load balancers and DNS.")]
    public Dictionary<string, string>? Annotations { get; set; }
}
