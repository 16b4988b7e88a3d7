using k8s;
using k8s.Models;

namespace Kv.Operator.Api.Entities;

/// <summary>
/// An object of one of our kinds: what is wished for and what was seen. Only people write <see cref="Spec"/>, only the operator
/// writes <see cref="Status"/>. Name and shape are KubeOps'.
/// </summary>
public abstract class CustomKubernetesEntity<TSpec, TStatus> : IKubernetesObject<V1ObjectMeta>
    where TSpec : new()
    where TStatus : new()
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public TSpec Spec { get; set; } = new();

    public TStatus Status { get; set; } = new();
}
