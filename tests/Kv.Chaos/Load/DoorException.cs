namespace Kv.Chaos.Load;

/// <summary>A client's operation that failed.</summary>
/// <param name="kind">In few words, the same for failures of one kind.</param>
/// <param name="isRetryable">Whether the client was told, or may know, that it can be tried again.</param>
internal sealed class DoorException(string kind, bool isRetryable, Exception? inner = null) : Exception(kind, inner)
{
    public bool IsRetryable { get; } = isRetryable;

    /// <summary>A put whose condition did not hold: it was not done.</summary>
    public bool IsConditionUnmet { get; init; }
}
