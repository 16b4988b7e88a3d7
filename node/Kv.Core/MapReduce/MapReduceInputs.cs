using System.Collections.Immutable;
using Kv.Core.Indexes;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>Where a job's inputs come from.</summary>
public abstract record MapReduceInputs
{
    private MapReduceInputs()
    {
    }

    /// <summary>Objects that the client names; at least one.</summary>
    public sealed record Keys(ImmutableArray<Term.Address> Addresses) : MapReduceInputs;

    /// <summary>All keys of a bucket that <paramref name="Filter"/> lets pass; null for all.</summary>
    public sealed record Listing(BucketName Bucket, KeyFilter? Filter) : MapReduceInputs;

    /// <summary>The results of a query of a secondary index.</summary>
    public sealed record Index(IndexQuery Query) : MapReduceInputs;
}
