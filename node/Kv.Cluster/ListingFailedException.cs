namespace Kv.Cluster;

/// <summary>
/// Thrown by the enumerators of <see cref="KvClient"/>'s listings when a listing cannot go on: what came before is true but not all. A listing that ends
/// without it is complete.
/// </summary>
public sealed class ListingFailedException(KvError error) : Exception($"the listing ended early: {error}")
{
    public KvError Error { get; } = error;
}
