using System.Runtime.CompilerServices;
using Kv.Cluster.Async;
using Kv.Cluster.Coordination;
using Kv.Core.Buckets;
using Kv.Core.Indexes;
using Kv.Core.Stores;

namespace Kv.Cluster;

/// <summary>Queries of secondary indexes.</summary>
public sealed partial class KvClient
{
    /// <summary>
    /// The results of a query in order: of ranges by term and key, of equalities, `$key` and `$bucket` by key. Pages come as fast as they are taken. With <see cref="IndexQuery.MaxResults"/>
    /// exactly so many come where there are as many, and then a continuation, though nothing may be behind it (as Riak). Reads one replica of each key, as Riak does: what the last moment wrote may be missing.
    /// </summary>
    /// <exception cref="ListingFailedException">From the enumerator, when the query makes no sense or its results cannot be complete.</exception>
    public async IAsyncEnumerable<IndexPage> QueryIndexAsync(IndexQuery query, [EnumeratorCancellation] CancellationToken cancel)
    {
        var began = context.Time.GetTimestamp();
        var isTaken = Places.TryTake(ref active, context.Options.MaxConcurrentRequests);
        context.Statistics.RequestBegan();
        KvError? error = null;
        var (range, props, ringSize) = ((IndexRange?)null, (BucketProps?)null, 0);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            error = isTaken ? null : Overloaded().Error;
            error ??= AdmitQuery(query, out range, out props, out ringSize);
            if (error is not null)
            {
                throw new ListingFailedException(error);
            }

            var allowed = query.Timeout is { } given && given > TimeSpan.Zero ? given : context.Options.RequestTimeout * context.Options.ListTimeoutFactor;
            allowed = allowed < context.Options.MaxQueryTimeout ? allowed : context.Options.MaxQueryTimeout;
            var coordinator = new IndexCoordinator(context, query, range!, props!, ringSize, Deadline.After(context.Time, allowed), gone.Token);
            error = await coordinator.BeginAsync();
            var left = query.MaxResults ?? int.MaxValue;
            for (var isAtEnd = false; !isAtEnd && error is null;)
            {
                var most = Math.Min(left, context.Options.ListPageKeys);
                (var entries, error) = await coordinator.NextAsync(most);
                left -= entries.Count;
                isAtEnd = entries.Count < most || left == 0;
                if (error is null)
                {
                    var continuation = query.MaxResults is not null && left == 0 ? range!.ContinuationAfter(entries[^1].Span) : null;
                    yield return new IndexPage([.. entries.Select(entry => range!.MatchOf(entry)!.Value)], continuation);
                }
            }

            if (error is not null)
            {
                throw new ListingFailedException(error);
            }
        }
        finally
        {
            // A reader that went away stops the vnodes' work too. Not CancelAsync, which leaves the scheduler; nothing that listens continues inline.
            gone.Cancel();
            if (isTaken)
            {
                Interlocked.Decrement(ref active);
            }

            context.Statistics.RequestEnded(KvOperation.QueryIndex, query.Bucket.BucketType, error, context.Time.GetElapsedTime(began));
        }
    }

    private KvError? AdmitQuery(IndexQuery query, out IndexRange? range, out BucketProps? props, out int ringSize)
    {
        (range, props, ringSize) = (null, null, 0);
        if (AdmitListing(query.Bucket.BucketType, query.Bucket, out props, out _, out ringSize) is { } refusal)
        {
            return refusal;
        }

        if (props!.StoreBackend != StoreBackend.Ordered)
        {
            return new KvError.IndexesNotSupported(props.Backend ?? BucketProps.HashBackend);
        }

        if (query.MaxResults is <= 0)
        {
            return new KvError.InvalidRequest($"Invalid \"max_results\". {query.MaxResults} is not a positive integer");
        }

        return IndexRange.TryCreate(query, out range, out var problem) ? null : new KvError.InvalidRequest(problem);
    }
}
