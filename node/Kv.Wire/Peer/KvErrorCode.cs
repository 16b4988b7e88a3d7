namespace Kv.Wire.Peer;

/// <summary>Codes of errors between nodes. Sent: append only, never reused.</summary>
public enum KvErrorCode
{
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
    IndexesNotSupported = 18,
    PreCommitFailed = 19,
}
