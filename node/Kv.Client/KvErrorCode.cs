namespace Kv.Client;

/// <summary>Why an operation failed: the codes of `kv.v1`, by the same numbers, and those the client itself finds.</summary>
public enum KvErrorCode
{
    Unknown = 0,
    NValViolation = 1,
    QuorumValueViolation = 2,
    Unsatisfied = 3,
    InsufficientVnodes = 4,
    AllNodesDown = 5,
    Timeout = 6,
    Overload = 7,
    NotReady = 8,
    UnknownBucketType = 9,
    MatchFound = 10,
    Modified = 11,
    NotFoundForCondition = 12,
    TooManySiblings = 13,
    ObjectTooLarge = 14,
    InvalidRequest = 15,
    StorageFailed = 16,
    NotPresent = 17,
    PreCommitFailed = 18,
    PermissionDenied = 20,

    /// <summary>No node could be reached, or the connection broke with the operation under way.</summary>
    Unavailable = 1000,
}
