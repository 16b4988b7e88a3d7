namespace Kv.Wire.Peer;

/// <summary>Bounds and times of the streams between nodes. The values follow what was measured; see `node/docs/peers.md`.</summary>
public sealed record PeerTransportOptions
{
    /// <summary>What is buffered for each stream, by the memory there is: on a node with little of it, windows and queues are small.</summary>
    public static PeerTransportOptions For(RequestMemory memory)
    {
        var standard = new PeerTransportOptions();
        var window = (int)Math.Clamp(memory.Bytes / 64, 256 * 1024, standard.StreamWindowBytes);
        return standard with
        {
            StreamWindowBytes = window,
            ConnectionWindowBytes = 2 * window,
            QueueBytes = Math.Min(standard.QueueBytes, memory.Bytes / 16),
            InboundReplyBytes = Math.Min(standard.InboundReplyBytes, memory.Bytes / 16),
        };
    }

    /// <summary>Messages that wait for a peer's lane; past it, overload.</summary>
    public int QueueMessages { get; init; } = 4096;

    /// <summary>Bytes that wait for a peer's lane. A single message may be larger, alone.</summary>
    public long QueueBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Messages that were sent to a lane, or wait for it, and are not answered yet; past it, overload.</summary>
    public int UnansweredMessages { get; init; } = 16_384;

    public int FrameMessages { get; init; } = 64;

    /// <summary>A frame is closed when it has so many bytes: it may be longer by one message.</summary>
    public int FrameBytes { get; init; } = 256 * 1024;

    /// <summary>The protocol's versions that are spoken; another range is for tests.</summary>
    public PeerVersions Versions { get; init; } = PeerVersions.Spoken;

    /// <summary>A larger message is refused.</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From the open connection to the peer's welcome.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The wait after a first failure; it doubles from there, with jitter.</summary>
    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan BackoffMost { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>HTTP/2 pings on a connection that is silent, so that a dead peer is seen.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How exactly deadlines are kept.</summary>
    public TimeSpan DeadlineTick { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Requests of one inbound stream that are being handled; past it, overload.</summary>
    public int InboundMessages { get; init; } = 16_384;

    /// <summary>Bytes of replies that wait on one inbound stream; past it, no more is read from it until they are gone.</summary>
    public long InboundReplyBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Nodes met by address, at once; and how long such a connection is kept unused.</summary>
    public int AddressLinks { get; init; } = 64;

    public TimeSpan AddressLinkIdle { get; init; } = TimeSpan.FromSeconds(30);

    public int StreamWindowBytes { get; init; } = 8 * 1024 * 1024;

    public int ConnectionWindowBytes { get; init; } = 16 * 1024 * 1024;
}
