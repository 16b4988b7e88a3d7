using Kv.Core.MapReduce;
using Kv.Core.Objects;

namespace Kv.Cluster.Coordination;

/// <summary>
/// One job on its way. Inputs come a page at a time, and each page goes through all phases up to the first that reduces, in portions, so that little is held whatever the job reads; reduce phases pass
/// on what they made once the inputs have ended. Used by one at a time.
/// </summary>
internal sealed class MapReduceRun(
    KvClient client, MapReduceJob job, MapReduceCaller caller, Deadline deadline, TimeProvider time, ClusterOptions options, CancellationToken cancel)
{
    /// <summary>Results that go on together, or those of so many bytes; and what a page of results has at most, unless one alone has more.</summary>
    private const int PortionTerms = 64;
    private const int PortionBytes = 256 * 1024;

    private readonly ReduceBatches?[] reduces = [.. job.Phases.Select(phase => phase is MapReducePhase.Reduce reduce ? new ReduceBatches(reduce) : null)];
    private readonly MapReduceTime left = new(deadline, time, cancel);
    private readonly MapReduceReads reads = new(client, new MapReduceTime(deadline, time, cancel), options);
    private long held;
    private long most;

    public async IAsyncEnumerable<MapReduceResults> RunAsync()
    {
        await foreach (var inputs in InputsAsync())
        {
            foreach (var page in TermPages.Of(inputs, options.ListPageKeys, PortionBytes))
            {
                left.ThrowIfOver();
                if (job.Phases.IsEmpty)
                {
                    yield return new MapReduceResults(0, page);
                }

                await foreach (var results in FlowAsync(0, page))
                {
                    yield return results;
                }
            }
        }

        for (var phase = 0; phase < job.Phases.Length; phase++)
        {
            if (reduces[phase] is not { } reduce)
            {
                continue;
            }

            left.ThrowIfOver();
            var made = Succeeded(reduce.Finish(), phase, input: null);
            await foreach (var results in PassOnAsync(phase, made))
            {
                yield return results;
            }
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<Term>> InputsAsync()
    {
        switch (job.Inputs)
        {
            case MapReduceInputs.Keys keys:
                yield return keys.Addresses;
                break;
            case MapReduceInputs.Listing listing:
                await foreach (var page in GuardedAsync(client.ListKeysAsync(listing.Bucket, left.Left(), cancel)))
                {
                    yield return [.. page.Where(key => Passes(listing.Filter, key)).Select(key => Named(listing.Bucket, key))];
                }

                break;
            case MapReduceInputs.Index index:
                await foreach (var page in GuardedAsync(client.QueryIndexAsync(index.Query with { Timeout = left.Left() }, cancel)))
                {
                    yield return [.. page.Matches.Select(match => Named(index.Query.Bucket, match.Key))];
                }

                break;
        }
    }

    private static Term.Address Named(BucketName bucket, ReadOnlyMemory<byte> key) => new(new ObjectKey(bucket.BucketType, bucket.Bucket, key), null);

    /// <summary>All filters of a job together may take a while for a key, and a page has many.</summary>
    private bool Passes(KeyFilter? filter, ReadOnlyMemory<byte> key)
    {
        if (filter is null)
        {
            return true;
        }

        left.ThrowIfOver();
        return filter.Passes(key);
    }

    /// <summary>A listing's failure is the job's.</summary>
    private async IAsyncEnumerable<T> GuardedAsync<T>(IAsyncEnumerable<T> pages)
    {
        await using var each = pages.GetAsyncEnumerator(cancel);
        while (true)
        {
            try
            {
                if (!await each.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (ListingFailedException failure)
            {
                throw Failed(new MapReduceFailure.OfRequest(failure.Error));
            }

            left.ThrowIfOver();
            yield return each.Current;
        }
    }

    /// <summary>Puts terms into a phase, and what comes out of it into the next ones; gives what is kept on the way.</summary>
    private async IAsyncEnumerable<MapReduceResults> FlowAsync(int phase, IReadOnlyList<Term> inputs)
    {
        if (phase == job.Phases.Length)
        {
            yield break;
        }

        if (reduces[phase] is { } reduce)
        {
            Reduce(phase, reduce, inputs);
            yield break;
        }

        var portion = new List<Term>();
        var bytes = 0L;
        await foreach (var (input, found) in reads.ReadAsync(inputs, each => AddressOf(phase, each), headOnly: job.Phases[phase] is MapReducePhase.Link))
        {
            foreach (var made in Succeeded(Apply(job.Phases[phase], input, found), phase, input))
            {
                portion.Add(made);
                bytes += made.HeldBytes;
                Hold(made.HeldBytes);
            }

            if (portion.Count < PortionTerms && bytes < PortionBytes)
            {
                continue;
            }

            await foreach (var results in PassOnAsync(phase, portion))
            {
                yield return results;
            }

            Hold(-bytes);
            (portion, bytes) = ([], 0);
        }

        await foreach (var results in PassOnAsync(phase, portion))
        {
            yield return results;
        }

        Hold(-bytes);
    }

    private async IAsyncEnumerable<MapReduceResults> PassOnAsync(int phase, IReadOnlyList<Term> made)
    {
        foreach (var page in TermPages.Of(made, options.ListPageKeys, PortionBytes))
        {
            if (job.Phases[phase].Keep)
            {
                yield return new MapReduceResults(phase, page);
            }

            await foreach (var results in FlowAsync(phase + 1, page))
            {
                yield return results;
            }
        }
    }

    private void Reduce(int phase, ReduceBatches reduce, IReadOnlyList<Term> inputs)
    {
        foreach (var input in inputs)
        {
            var before = reduce.HeldBytes;
            if (reduce.Add(input) is { } problem)
            {
                throw Failed(new MapReduceFailure.OfPhase(phase, problem, Input: null));
            }

            Hold(reduce.HeldBytes - before);
        }

        left.ThrowIfOver();
    }

    private Term.Address AddressOf(int phase, Term input)
    {
        if (Addresses.Of(input) is not { } address || !address.Key.IsValid(out _))
        {
            throw Failed(new MapReduceFailure.OfPhase(phase, "the phase takes names of objects, [bucket, key] with key data and type or without", $"{input}"));
        }

        return caller.WhyDenied(new BucketName(address.Key.BucketType, address.Key.Bucket)) is { } denied ? throw Failed(new MapReduceFailure.Denied(denied)) : address;
    }

    private PhaseOutput Apply(MapReducePhase phase, Term.Address input, KvObject? found) => phase switch
    {
        MapReducePhase.Map map => Apply(map, new MapInput(input.Key, input.KeyData, found, Math.Max(0, options.MapReduceHeldBytes - held))),
        MapReducePhase.Link link => found is null ? PhaseOutput.None : PhaseOutput.Of(LinkTargets.Of(found, link)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Room for what the function makes is there before it is. What is more than the function may make is its own refusal.</summary>
    private PhaseOutput Apply(MapReducePhase.Map map, MapInput input)
    {
        var made = map.Function.MadeBytes(input) is var most && most <= input.MostBytes ? most : 0;
        Hold(made);
        var output = map.Function.Apply(input, map.Arg);
        Hold(-made);
        return output;
    }

    private static IReadOnlyList<Term> Succeeded(PhaseOutput output, int phase, Term? input) =>
        output.Problem is { } problem ? throw Failed(new MapReduceFailure.OfPhase(phase, problem, input?.ToString())) : output.Terms;

    private void Hold(long bytes)
    {
        held += bytes;
        if (held <= most)
        {
            return;
        }

        most = held;
        if (held > options.MapReduceHeldBytes)
        {
            throw Failed(new MapReduceFailure.TooMuch(options.MapReduceHeldBytes));
        }

        if (!caller.TryHold(held))
        {
            throw Failed(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)));
        }
    }

    private static MapReduceFailedException Failed(MapReduceFailure failure) => new(failure);
}
