using Kv.Core.MapReduce;
using Kv.Core.Objects;

namespace Kv.Cluster.Coordination;

/// <summary>
/// A job's reads, some ahead of what is taken of them: few at first, then more, as many as have room together if they are as large as those before. What is read and not taken keeps others
/// from the memory for answers, and without room there a read fails as overload at once: it is done again alone, after a pause, for as long as the job has time. Used by one at a time.
/// </summary>
internal sealed class MapReduceReads(KvClient client, MapReduceTime time, ClusterOptions options)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private int ahead = 1;

    // Of the largest object of late.
    private long expectedBytes;

    /// <summary>The objects that inputs name, in their order. Null for what is not there.</summary>
    public async IAsyncEnumerable<(Term.Address Input, KvObject? Found)> ReadAsync(IReadOnlyList<Term> inputs, Func<Term, Term.Address> addressOf, bool headOnly)
    {
        var reads = new Queue<(Term.Address Input, Task<KvOutcome> Read)>();
        var pause = FirstPause;
        for (int begun = 0, taken = 0; taken < inputs.Count;)
        {
            while (begun < inputs.Count && reads.Count < ahead)
            {
                var input = addressOf(inputs[begun++]);
                reads.Enqueue((input, BeginAsync(input.Key, headOnly)));
            }

            var (first, read) = reads.Dequeue();
            var outcome = await read;
            if (outcome is KvOutcome.Failed { Error: KvError.Overload } overload)
            {
                (begun, ahead) = (taken, 1);
                await DrainAsync(reads);
                await WaitAsync(pause, overload);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                continue;
            }

            var found = FoundBy(outcome);
            (taken, pause) = (taken + 1, FirstPause);
            Learn(found);
            time.ThrowIfOver();
            yield return (first, found);
        }
    }

    private Task<KvOutcome> BeginAsync(ObjectKey key, bool headOnly) =>
        client.ExecuteAsync(new KvRequest.Get { Key = key, HeadOnly = headOnly, Timeout = time.Left() }, time.Cancel).AsTask();

    private static KvObject? FoundBy(KvOutcome outcome) => outcome switch
    {
        KvOutcome.Found one => one.Object,
        KvOutcome.NotFound => null,
        KvOutcome.Failed failed => throw new MapReduceFailedException(new MapReduceFailure.OfRequest(failed.Error)),
        _ => throw new System.Diagnostics.UnreachableException($"a read ended in {outcome}"),
    };

    /// <summary>What these found is let go: it may be what there is no room beside.</summary>
    private static async Task DrainAsync(Queue<(Term.Address Input, Task<KvOutcome> Read)> reads)
    {
        while (reads.TryDequeue(out var next))
        {
            await next.Read;
        }
    }

    private async Task WaitAsync(TimeSpan pause, KvOutcome.Failed overload)
    {
        if (time.Left() <= pause)
        {
            throw new MapReduceFailedException(new MapReduceFailure.OfRequest(overload.Error));
        }

        await Task.Delay(pause, time.Time, time.Cancel);
    }

    private void Learn(KvObject? found)
    {
        var bytes = found?.Siblings.Sum(sibling => (long)sibling.Value.Length) ?? 0;
        expectedBytes = Math.Max(bytes, expectedBytes - (expectedBytes / 8));
        ahead = (int)Math.Clamp(options.MapReduceReadBytes / Math.Max(1, expectedBytes), 1, Math.Min(2L * ahead, options.MapReduceReads));
    }
}
