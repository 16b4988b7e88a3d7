using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>A read's options with every word and default resolved to a number (reference 2.1, 2.4).</summary>
public sealed record GetQuorumRules
{
    /// <summary>Replicas in question.</summary>
    public required int NVal { get; init; }

    /// <summary>At least 1: a read that needs no answer would have none to give.</summary>
    public required int R { get; init; }

    public required int Pr { get; init; }

    public required int NodeConfirms { get; init; }

    public required bool BasicQuorum { get; init; }

    public required bool NotFoundOk { get; init; }

    /// <summary>Resolves a request's options over the bucket's properties; null with the violation where they contradict (checked in Riak's order).</summary>
    public static GetQuorumRules? Resolve(BucketProps props, GetQuorumOptions options, out QuorumFailure? failure)
    {
        var resolver = new QuorumResolver(props.NVal, options.NVal);
        var r = resolver.Resolve("r", options.R, props.R);
        var pr = resolver.Resolve("pr", options.Pr, props.Pr);
        var nodeConfirms = resolver.Resolve("node_confirms", options.NodeConfirms, props.NodeConfirms);
        failure = resolver.Failure;
        return failure is not null
            ? null
            : new GetQuorumRules
            {
                NVal = resolver.NVal,
                R = Math.Max(1, r),
                Pr = pr,
                NodeConfirms = nodeConfirms,
                BasicQuorum = options.BasicQuorum ?? props.BasicQuorum,
                NotFoundOk = options.NotFoundOk ?? props.NotFoundOk,
            };
    }

    /// <summary>Whether the preference list can meet the rules at all; checked before any replica is asked.</summary>
    public QuorumFailure? Check(ImmutableArray<PreflistEntry> preflist) =>
        PreflistChecks.Check(preflist, "pr", Pr, Math.Max(R, Pr), NodeConfirms);
}
