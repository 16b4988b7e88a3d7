namespace Kv.Wire.Peer;

/// <summary>Codes of requests between nodes. Sent: append only, never reused.</summary>
public enum PeerRequestCode
{
    VnodeGet = 1,
    VnodePut = 2,
    VnodeReap = 3,
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
    Rebuild = 30,
    GetUp = 31,
}
