using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>The links that a link phase follows (riak_kv_wm_link_walker:mapreduce_linkfun): of all siblings together, each once, in their order, as lists of bucket, key and tag.</summary>
public static class LinkTargets
{
    public static IReadOnlyList<Term> Of(KvObject from, MapReducePhase.Link phase) =>
    [
        .. from.Siblings
            .SelectMany(sibling => sibling.Metadata.Links)
            .Where(link => (phase.Bucket is null || link.Bucket == phase.Bucket) && (phase.Tag is null || link.Tag == phase.Tag))
            .Distinct()
            .Select(link => Term.Of([Term.Of(link.Bucket), Term.Of(link.Key), Term.Of(link.Tag)]))
            .Order(TermOrder.Instance),
    ];
}
