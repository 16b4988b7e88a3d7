namespace Kv.Wire.Peer;

/// <summary>Codes of replies between nodes. Sent: append only, never reused.</summary>
public enum PeerReplyCode
{
    Unreachable = 1,
    TimedOut = 2,
    Overloaded = 3,
    WrongOwner = 4,
    Refused = 5,
    Done = 6,
    Object = 7,
    Forwarded = 8,
    ListPage = 9,
    Document = 10,
    Promised = 11,
    Accepted = 12,
    Rejected = 13,
    Proposed = 14,
    Identity = 15,
    Holdings = 16,
    StaleFence = 17,
    DoneEach = 18,
    TreeHashes = 20,
    TreePage = 21,
    Rebuilding = 30,
    Up = 31,
    Time = 32,
    Volume = 33,
    ScanPage = 40,
}
