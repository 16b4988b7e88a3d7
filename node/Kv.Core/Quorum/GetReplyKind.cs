namespace Kv.Core.Quorum;

/// <summary>What a replica said to a read, as far as counting goes.</summary>
public enum GetReplyKind
{
    /// <summary>It has an object with at least one live sibling.</summary>
    Found = 1,

    /// <summary>It has an object of tombstones only.</summary>
    Tombstone = 2,

    NotFound = 3,

    /// <summary>It failed, could not be reached or answered too late.</summary>
    Failed = 4,

    /// <summary>It refused because a queue was full.</summary>
    Overloaded = 5,
}
