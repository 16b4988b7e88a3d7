namespace Kv.Operator.Abstractions;

/// <summary>What makes the world be as an object says. Called with the object as it is now, never twice at once for one object, and as often as it likes to be. Shape and names are KubeOps'.</summary>
internal interface IEntityController<TEntity>
{
    Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken);

    /// <summary>
    /// The object is gone; of <paramref name="entity"/> there is but name and namespace. It may be called more than once, and not at all if nobody watched then: what must happen is
    /// a finalizer's.
    /// </summary>
    Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken);
}
