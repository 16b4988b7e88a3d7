namespace Kv.Operator.Abstractions;

/// <summary>
/// What a reconcile came to, in KubeOps' form. It is asked again after <see cref="RequeueAfter"/>; without that a success waits for the next change. A failure is retried with back-off, and no
/// sooner than that.
/// </summary>
internal sealed record ReconciliationResult<TEntity>(TEntity Entity, bool IsSuccess, string? ErrorMessage, TimeSpan? RequeueAfter)
{
    /// <summary>The longest back-off of this failure; null where it is the queue's own.</summary>
    public TimeSpan? LongestBackoff { get; init; }

    /// <summary>A failure where there is an error to tell of.</summary>
    public static ReconciliationResult<TEntity> Of(TEntity entity, string? errorMessage, TimeSpan requeueAfter, TimeSpan? longestBackoff) =>
        new(entity, errorMessage is null, errorMessage, requeueAfter) { LongestBackoff = longestBackoff };

    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) => new(entity, true, null, requeueAfter);

    public static ReconciliationResult<TEntity> Failure(TEntity entity, string errorMessage, TimeSpan? requeueAfter = null) => new(entity, false, errorMessage, requeueAfter);
}
