using Kv.Operator.Api.BucketTypes;

namespace Kv.Operator.BucketTypes;

/// <summary>What one pass over a bucket type came to.</summary>
internal sealed record BucketTypePass(BucketTypeStatus Status, BucketTypeAction? Action, string? Error, TimeSpan RequeueAfter);
