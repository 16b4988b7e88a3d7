using Kv.Core.Objects;

namespace Kv.Cluster;

/// <summary>
/// The one door to the data: every front end turns what it reads into a <see cref="KvRequest"/> and what comes back into its own tongue. Safe to
/// call from any thread. Nothing is thrown for what a request or a cluster can do wrong; see <see cref="KvOutcome.Failed"/>.
/// </summary>
public sealed class KvClient
{
    private readonly KvError notReady = new KvError.NotReady("the node is starting");

    /// <summary>
    /// Carries out one request. Always ends by the request's deadline. Cancellation ends the caller's wait only: a write that was begun goes on.
    /// </summary>
    public ValueTask<KvOutcome> ExecuteAsync(KvRequest request, CancellationToken cancel) =>
        new(new KvOutcome.Failed(notReady));

    /// <summary>
    /// The keys of a bucket that hold a live value, in pages, in no order; each key once, but one that is written meanwhile may come twice.
    /// </summary>
    /// <exception cref="ListingFailedException">From the enumerator, when the listing cannot be complete.</exception>
    public IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> ListKeysAsync(BucketName bucket, TimeSpan? timeout, CancellationToken cancel) =>
        throw new ListingFailedException(notReady);

    /// <summary>The buckets of a type that hold a live value, in pages, each once.</summary>
    /// <exception cref="ListingFailedException">From the enumerator, when the listing cannot be complete.</exception>
    public IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> ListBucketsAsync(string bucketType, TimeSpan? timeout, CancellationToken cancel) =>
        throw new ListingFailedException(notReady);
}
