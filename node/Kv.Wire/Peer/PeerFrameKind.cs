namespace Kv.Wire.Peer;

/// <summary>What a frame holds. Sent: append only.</summary>
public enum PeerFrameKind
{
    /// <summary>The first frame of a stream: who asks.</summary>
    Hello = 1,

    /// <summary>Its answer: who answers, or why not.</summary>
    Welcome = 2,

    Requests = 3,
    Replies = 4,
}
