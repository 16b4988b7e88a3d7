namespace Kv.Operator.Abstractions;

/// <summary>What a reconcile came to, in KubeOps' form. It is asked again after <see cref="RequeueAfter"/>; without that a success waits for the next change, and a failure is retried with back-off.</summary>
internal sealed record ReconciliationResult<TEntity>(TEntity Entity, bool IsSuccess, string? ErrorMessage, TimeSpan? RequeueAfter)
{
    /// <summary>A failure where there is an error to tell of.</summary>
    public static ReconciliationResult<TEntity> Of(TEntity entity, string? errorMessage, TimeSpan requeueAfter) => new(entity, errorMessage is null, errorMessage, requeueAfter);

    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) => new(entity, true, null, requeueAfter);

    public static ReconciliationResult<TEntity> Failure(TEntity entity, string errorMessage, TimeSpan? requeueAfter = null) => new(entity, false, errorMessage, requeueAfter);
}
