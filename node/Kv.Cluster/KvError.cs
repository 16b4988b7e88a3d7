namespace Kv.Cluster;

/// <summary>Why a request failed. The names are Riak's where it has them; front ends give them their own tongue's text and code.</summary>
public abstract record KvError
{
    private KvError()
    {
    }

    /// <summary>The same request may succeed later, or on another node.</summary>
    public virtual bool IsRetryable => false;

    /// <summary>Some replicas may hold the write although it failed.</summary>
    public virtual bool IsIndeterminate => false;

    /// <summary>A quorum or n_val option is above the bucket's n_val, <paramref name="NVal"/>.</summary>
    public sealed record NValViolation(int NVal) : KvError;

    /// <summary>A quorum option cannot be read: `r`, `pr`, `w`, `pw`, `dw`, `rw`, `node_confirms`.</summary>
    public sealed record QuorumValueViolation(string Option) : KvError;

    /// <summary>An option's quorum was not met: <paramref name="Option"/> is `r`, `pr`, `w`, `pw`, `dw` or `node_confirms`.</summary>
    public sealed record Unsatisfied(string Option, int Required, int Got, bool Indeterminate) : KvError
    {
        public override bool IsRetryable => true;

        public override bool IsIndeterminate => Indeterminate;
    }

    public sealed record InsufficientVnodes(int Got, int Required) : KvError
    {
        public override bool IsRetryable => true;
    }

    public sealed record AllNodesDown : KvError
    {
        public override bool IsRetryable => true;
    }

    public sealed record Timeout(bool Indeterminate) : KvError
    {
        public override bool IsRetryable => true;

        public override bool IsIndeterminate => Indeterminate;
    }

    /// <summary>A queue is full: refused at once, nothing was done (<paramref name="Indeterminate"/>: at some replicas).</summary>
    public sealed record Overload(bool Indeterminate) : KvError
    {
        public override bool IsRetryable => true;

        public override bool IsIndeterminate => Indeterminate;
    }

    /// <summary>The node has no cluster document yet, or is stopping.</summary>
    public sealed record NotReady(string Detail) : KvError
    {
        public override bool IsRetryable => true;
    }

    public sealed record UnknownBucketType(string BucketType) : KvError;

    /// <summary>The bucket's type keeps its objects in a backend that has no indexes.</summary>
    public sealed record IndexesNotSupported(string Backend) : KvError;

    /// <summary>`if_none_match` found a value.</summary>
    public sealed record MatchFound : KvError;

    /// <summary>`if_not_modified` found another clock.</summary>
    public sealed record Modified : KvError;

    /// <summary>`if_not_modified` found nothing.</summary>
    public sealed record NotFoundForCondition : KvError;

    /// <summary>A removal without a context names what is not there; <paramref name="Term"/> is the member or field as Erlang prints it.</summary>
    public sealed record NotPresent(string Term) : KvError;

    public sealed record TooManySiblings(int Count, int Maximum) : KvError;

    public sealed record ObjectTooLarge(long Bytes, long Maximum) : KvError;

    /// <summary>
    /// A hook will not have the write, for the reason <paramref name="Message"/>, which may be empty; or (<paramref name="IsOfHook"/>) it gave no answer that can be used, and its writes are refused then.
    /// </summary>
    public sealed record PreCommitFailed(string Message, bool IsOfHook) : KvError
    {
        public override bool IsRetryable => IsOfHook;
    }

    /// <summary>A name is empty or too long, or a value of the request makes no sense; <paramref name="Message"/> says which.</summary>
    public sealed record InvalidRequest(string Message) : KvError;

    /// <summary>A store failed beneath; the node's log has the details.</summary>
    public sealed record StorageFailed(string Message) : KvError
    {
        public override bool IsRetryable => true;

        public override bool IsIndeterminate => true;
    }
}
