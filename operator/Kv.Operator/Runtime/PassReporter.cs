using k8s;
using k8s.Models;
using Kv.Operator.Abstractions;
using Kv.Operator.Api.Entities;

namespace Kv.Operator.Runtime;

/// <summary>What a pass came to: events on the API server, and the status of its object.</summary>
internal sealed class PassReporter(StatusWriter status, EventRecorder events) : IPassReporter
{
    public async Task ReportAsync<TStatus>(IKubernetesObject<V1ObjectMeta> entity, TStatus before, TStatus after, CancellationToken cancellationToken)
        where TStatus : IConditionedStatus
    {
        foreach (var transition in Transition.Between(before.Conditions, after.Conditions))
        {
            await events.PublishAsync(entity, transition, cancellationToken);
        }

        await status.WriteAsync(ResourceKind.Of(entity.GetType()), entity, before, after, cancellationToken);
    }
}
