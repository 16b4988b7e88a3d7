namespace Kv.Core.Stores;

/// <summary>
/// The store took nothing of a write and stays usable: the disk is nearly full, the log has grown to its cap faster than checkpoints
/// can cut it, or there is no memory for it; or it could not read a long value for want of memory. The caller answers with a retryable refusal; reads and removals of files go on.
/// </summary>
public sealed class StoreRefusedException(string message) : Exception(message);
