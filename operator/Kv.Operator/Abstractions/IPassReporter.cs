using k8s;
using k8s.Models;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Abstractions;

/// <summary>Makes known what a pass came to.</summary>
internal interface IPassReporter
{
    /// <summary>
    /// Tells of the transitions between two statuses, and writes the second if it differs. Told first: the status is all that is remembered, and who ends between the two finds
    /// the same transitions again.
    /// </summary>
    Task ReportAsync<TStatus>(IKubernetesObject<V1ObjectMeta> entity, TStatus before, TStatus after, CancellationToken cancellationToken)
        where TStatus : IConditionedStatus;
}
