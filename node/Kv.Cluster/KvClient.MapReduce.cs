using System.Runtime.CompilerServices;
using Kv.Cluster.Async;
using Kv.Cluster.Coordination;
using Kv.Core.MapReduce;
using Kv.Core.Objects;

namespace Kv.Cluster;

/// <summary>MapReduce jobs.</summary>
public sealed partial class KvClient
{
    private int mapReduceJobs;

    /// <summary>
    /// The results of a job's kept phases, as they come and as fast as they are taken; of one phase in the order of its inputs. Objects are read as any request reads them. The job's time
    /// counts from here to its last result, and the taker's too.
    /// </summary>
    /// <exception cref="MapReduceFailedException">From the enumerator, when the job cannot go on.</exception>
    public async IAsyncEnumerable<MapReduceResults> MapReduceAsync(MapReduceJob job, MapReduceCaller caller, [EnumeratorCancellation] CancellationToken cancel)
    {
        var began = context.Time.GetTimestamp();
        var isTaken = TryBeginJob();
        context.Statistics.RequestBegan();
        KvError? error = null;
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            error = !isTaken ? Overloaded().Error : WhyNotReady(context.State.Current, isForwarded: false) is { } why ? new KvError.NotReady(why) : null;
            if (error is not null)
            {
                throw new MapReduceFailedException(new MapReduceFailure.OfRequest(error));
            }

            var allowed = job.Timeout < context.Options.MaxQueryTimeout ? job.Timeout : context.Options.MaxQueryTimeout;
            var run = new MapReduceRun(this, job, caller, Deadline.After(context.Time, allowed), context.Time, context.Options, gone.Token);
            var results = run.RunAsync().GetAsyncEnumerator(CancellationToken.None);
            await using (results)
            {
                while (await NextAsync(results, failure => error = failure))
                {
                    yield return results.Current;
                }
            }
        }
        finally
        {
            // A taker that went away ends the job's reads too. Not CancelAsync, which leaves the scheduler; nothing that listens continues inline.
            gone.Cancel();
            if (isTaken)
            {
                Interlocked.Decrement(ref active);
                Interlocked.Decrement(ref mapReduceJobs);
            }

            context.Statistics.RequestEnded(KvOperation.MapReduce, LabelOf(job.Inputs), error, context.Time.GetElapsedTime(began));
        }
    }

    /// <summary>A job has a place among the jobs and one among all requests.</summary>
    private bool TryBeginJob()
    {
        if (!Places.TryTake(ref mapReduceJobs, context.Options.MaxMapReduceJobs))
        {
            return false;
        }

        if (Places.TryTake(ref active, context.Options.MaxConcurrentRequests))
        {
            return true;
        }

        Interlocked.Decrement(ref mapReduceJobs);
        return false;
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<MapReduceResults> results, Action<KvError> failed)
    {
        try
        {
            return await results.MoveNextAsync();
        }
        catch (MapReduceFailedException failure)
        {
            failed(failure.Failure is MapReduceFailure.OfRequest { Error: var error } ? error : new KvError.InvalidRequest(failure.Message));
            throw;
        }
    }

    /// <summary>The bucket type of a job's inputs, for statistics: a name that a client made up is none.</summary>
    private string LabelOf(MapReduceInputs inputs)
    {
        var bucket = inputs switch
        {
            MapReduceInputs.Listing listing => listing.Bucket,
            MapReduceInputs.Index index => index.Query.Bucket,
            MapReduceInputs.Keys keys => new BucketName(keys.Addresses[0].Key.BucketType, keys.Addresses[0].Key.Bucket),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return context.State.Current.Document?.EffectiveProps(bucket) is null ? KvStatistics.UnknownBucketTypeLabel : bucket.BucketType;
    }
}
