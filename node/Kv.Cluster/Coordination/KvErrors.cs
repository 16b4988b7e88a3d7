using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Indexes;
using Kv.Core.Quorum;

namespace Kv.Cluster.Coordination;

/// <summary>The one place where failures beneath become the errors that callers see.</summary>
internal static class KvErrors
{
    /// <param name="failure">What the quorum said.</param>
    /// <param name="indeterminate">Whether some replica may hold what was to be written.</param>
    public static KvError Of(QuorumFailure failure, bool indeterminate) => failure switch
    {
        QuorumFailure.NValViolation violation => new KvError.NValViolation(violation.NVal),
        QuorumFailure.ValueViolation violation => new KvError.QuorumValueViolation(violation.Option),
        QuorumFailure.AllNodesDown => new KvError.AllNodesDown(),
        QuorumFailure.InsufficientVnodes missing => new KvError.InsufficientVnodes(missing.Got, missing.Required),
        QuorumFailure.Unsatisfied unmet => new KvError.Unsatisfied(unmet.Option, unmet.Required, unmet.Got, indeterminate),
        QuorumFailure.CoordinatorFailed => new KvError.StorageFailed("the coordinating replica did not store the write"),
        QuorumFailure.Timeout => new KvError.Timeout(indeterminate),
        QuorumFailure.Overload => new KvError.Overload(indeterminate),
        _ => throw new System.Diagnostics.UnreachableException($"unknown quorum failure {failure}"),
    };

    public static KvOutcome Failed(QuorumFailure failure, bool indeterminate) => new KvOutcome.Failed(Of(failure, indeterminate));

    /// <summary>Of an object, or of its siblings together; each entry with its bucket's names and its key.</summary>
    public static KvError.InvalidRequest TooManyIndexEntries { get; } = new(
        $"index entries beyond what an object may have with all its siblings: {IndexEntries.MaxEntries} entries, and {IndexEntries.MaxBytes} bytes of terms, bucket names and keys");

    /// <summary>Of a coordinating vnode's refusal.</summary>
    public static KvError OfCoordinator(VnodeReply reply) => reply switch
    {
        { Error: { } error } => error,
        { Reply: PeerReply.Overloaded } => new KvError.Overload(Indeterminate: false),
        { Reply: PeerReply.WrongOwner } => new KvError.NotReady("the ring has changed: this node does not serve the key any more"),
        { Reply: PeerReply.Refused { Reason: VnodeRefusals.Damaged or VnodeRefusals.Closed } refused } => new KvError.NotReady(refused.Reason),
        { Reply: PeerReply.Refused refused } => new KvError.StorageFailed(refused.Reason),
        _ => new KvError.StorageFailed("the coordinating replica gave no answer"),
    };
}
