namespace Kv.Operator.Abstractions;

/// <summary>What must be done before an object may go. A success takes the finalizer away; it is asked again otherwise.</summary>
internal interface IEntityFinalizer<TEntity>
{
    /// <summary>As it stands in the object's list of finalizers.</summary>
    string Identifier { get; }

    /// <summary>Whether this object needs it: one that is not needed is not attached, so that an operator that is gone does not hold up deletions.</summary>
    bool IsNeeded(TEntity entity);

    Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancellationToken);
}
