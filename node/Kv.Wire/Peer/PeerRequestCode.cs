namespace Kv.Wire.Peer;

/// <summary>Codes of requests between nodes. Sent: append only, never reused; 3 was a reap of one replica.</summary>
public enum PeerRequestCode
{
    VnodeGet = 1,
    VnodePut = 2,
    Forward = 4,
    VnodeList = 5,
    HandoffBatch = 6,
    Heartbeat = 7,
    GetDocument = 8,
    LearnDocument = 9,
    Prepare = 10,
    Accept = 11,
    Propose = 12,
    Identify = 13,
    GetHoldings = 14,
    Inspect = 15,
    Seal = 16,
    Reap = 17,
    TreeRoot = 20,
    TreeBranches = 21,
    TreeSegments = 22,
    TreeEntries = 23,
    TreeRelease = 24,
    TreeLeaves = 25,
    TreeLeafEntries = 26,
    Rebuild = 30,
    GetUp = 31,
    KnowsSecurity = 32,
    KnowsOrdered = 33,
    VnodeScan = 40,
}
