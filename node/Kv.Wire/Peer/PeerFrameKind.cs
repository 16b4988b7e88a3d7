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

    /// <summary>The envelope of a long message, request or reply as the stream's direction says, and the first piece of its body. From version 2.</summary>
    LongBegin = 5,

    /// <summary>The next piece of the long message that was begun.</summary>
    LongMore = 6,
}
