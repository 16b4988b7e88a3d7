using System.Collections.Immutable;
using Kv.Core.Buckets;
using Kv.Core.Rings;

namespace Kv.Core.Quorum;

/// <summary>A write's options with every word and default resolved to a number (reference 2.1, 2.2).</summary>
public sealed record PutQuorumRules
{
    /// <summary>Replicas in question.</summary>
    public required int NVal { get; init; }

    public required int W { get; init; }

    /// <summary>At least 1: the coordinating vnode, or without one some replica, always stores.</summary>
    public required int Dw { get; init; }

    public required int Pw { get; init; }

    public required int NodeConfirms { get; init; }

    /// <summary>Whether `w` and `dw` are one, the larger of the two, and called `w`: so it is for write-once types (reference 9.5).</summary>
    public bool HasOneW { get; init; }

    /// <summary>Resolves a request's options over the bucket's properties; null with the violation where they contradict (checked in Riak's order).</summary>
    public static PutQuorumRules? Resolve(BucketProps props, PutQuorumOptions options, out QuorumFailure? failure)
    {
        var resolver = new QuorumResolver(props.NVal, options.NVal);
        var pw = resolver.Resolve("pw", options.Pw, props.Pw);
        var nodeConfirms = resolver.Resolve("node_confirms", options.NodeConfirms, props.NodeConfirms);
        var w = resolver.Resolve("w", options.W, props.W);
        var dw = resolver.Resolve("dw", options.Dw, props.Dw);
        failure = resolver.Failure;
        if (failure is not null)
        {
            return null;
        }

        dw = Math.Max(1, dw);
        (w, dw) = props.WriteOnce ? (Math.Max(w, dw), Math.Max(w, dw)) : (w, dw);
        return new PutQuorumRules { NVal = resolver.NVal, W = w, Dw = dw, Pw = pw, NodeConfirms = nodeConfirms, HasOneW = props.WriteOnce };
    }

    /// <summary>Whether the preference list can meet the rules at all; checked before any replica is asked.</summary>
    public QuorumFailure? Check(ImmutableArray<PreflistEntry> preflist) =>
        PreflistChecks.Check(preflist, "pw", Pw, Math.Max(Math.Max(W, Dw), Pw), NodeConfirms);
}
