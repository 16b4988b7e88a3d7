namespace Kv.Operator.Abstractions;

/// <summary>What a reconcile came to, in KubeOps' form. Without <see cref="RequeueAfter"/> a success waits for the next change, and a failure is retried with back-off.</summary>
internal sealed record ReconciliationResult<TEntity>(TEntity Entity, bool IsSuccess, string? ErrorMessage, TimeSpan? RequeueAfter)
{
    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) => new(entity, true, null, requeueAfter);

    public static ReconciliationResult<TEntity> Failure(TEntity entity, string errorMessage, TimeSpan? requeueAfter = null) => new(entity, false, errorMessage, requeueAfter);
}
