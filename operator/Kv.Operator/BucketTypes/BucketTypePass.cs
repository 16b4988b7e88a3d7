using Kv.Operator.Api.BucketTypes;

namespace Kv.Operator.BucketTypes;

/// <summary>What one pass over a bucket type came to.</summary>
internal sealed record BucketTypePass(BucketTypeStatus Status, BucketTypeAction? Action, string? Error, TimeSpan RequeueAfter)
{
    /// <summary>How long an error may wait at most, however often it came: a node's answer is news, and an API server that refuses is not asked all the time. Null where the queue decides.</summary>
    public TimeSpan? LongestBackoff { get; init; }
}
