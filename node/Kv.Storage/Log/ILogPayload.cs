namespace Kv.Storage.Log;

/// <summary>Bytes to append, written straight into the log's buffer.</summary>
internal interface ILogPayload
{
    int Length { get; }

    /// <summary>Fills the span, which is exactly <see cref="Length"/> long. Called under the log's lock: no waits, no calls out.</summary>
    void CopyTo(Span<byte> target);
}
