using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Kv.Operator.Abstractions;
using Xunit;

namespace Kv.Operator.Tests.Stubs;

/// <summary>Remembers what it was asked, and answers as the test says.</summary>
internal sealed class StubController<TEntity> : IEntityController<TEntity>
    where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Names of the objects of its passes.</summary>
    public ConcurrentQueue<string> Passes { get; } = new();

    public ConcurrentQueue<string> Deletions { get; } = new();

    /// <summary>The answer to a pass, by how many there were before it.</summary>
    public Func<TEntity, int, ReconciliationResult<TEntity>> Answer { get; set; } = (entity, _) => ReconciliationResult<TEntity>.Success(entity);

    public Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken)
    {
        var before = Passes.Count;
        Passes.Enqueue(entity.Metadata.Name);
        return Task.FromResult(Answer(entity, before));
    }

    public Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken)
    {
        Deletions.Enqueue(entity.Metadata.Name);
        return Task.FromResult(ReconciliationResult<TEntity>.Success(entity));
    }

    public async Task PassedAsync(int times)
    {
        await Poll.UntilAsync(() => Passes.Count >= times);
        Assert.True(Passes.Count >= times, $"{Passes.Count} passes, not {times}");
    }
}
