namespace Kv.Client;

/// <summary>An operation that failed.</summary>
public sealed class KvException : Exception
{
    public KvException(KvErrorCode code, string message, bool isRetryable, bool isIndeterminate, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        IsRetryable = isRetryable;
        IsIndeterminate = isIndeterminate;
    }

    public KvErrorCode Code { get; }

    /// <summary>The same operation may succeed later.</summary>
    public bool IsRetryable { get; }

    /// <summary>A write that may have taken effect although it failed: read before you decide.</summary>
    public bool IsIndeterminate { get; }
}
