namespace Kv.Core.Quorum;

/// <summary>What a replica said to a write, as far as counting goes.</summary>
public enum PutReplyKind
{
    /// <summary>It has the write, not yet as durable as asked (counts for w).</summary>
    Received = 1,

    /// <summary>It has the write as durable as asked (counts for w, dw, pw and node_confirms, received before or not).</summary>
    Durable = 2,

    /// <summary>It failed, could not be reached or answered too late.</summary>
    Failed = 3,

    /// <summary>It refused because a queue was full.</summary>
    Overloaded = 4,
}
