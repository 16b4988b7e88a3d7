namespace Kv.Wire.Riak.Pb;

/// <summary>Limits of the Riak Protocol Buffers front end.</summary>
public sealed record RiakPbOptions
{
    /// <summary>Bytes beyond the largest value that a frame may have: names, a context, metadata.</summary>
    public const int OverheadBytes = 1024 * 1024;

    /// <summary>Bytes of a value. Riak's object.size.maximum.</summary>
    public long MaxObjectBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>Bytes; a longer frame is answered with an error, and the connection closed. A listing that is to be one message is bounded by it too.</summary>
    public long MaxFrameBytes => MaxObjectBytes + OverheadBytes;

    /// <summary>How long a frame that has begun may rest, and how long a client may leave what it is sent: after it the connection is closed.</summary>
    public TimeSpan StallTimeout { get; init; } = TransferLimit.StandardRest;

    /// <summary>The rate at which a frame must come, beside that time, and an answer must be taken.</summary>
    public int LeastBytesPerSecond { get; init; } = TransferLimit.StandardBytesPerSecond;

    /// <summary>How long a TLS handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer to a wrong password is held back, as Riak does.</summary>
    public TimeSpan FailedAuthenticationDelay { get; init; } = TimeSpan.FromSeconds(5);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>After so many, the connection is closed.</summary>
    public int MaxFailedAuthentications { get; init; } = 3;

    /// <summary>What clients are told that they talk to: they turn features on by it. A version of Riak whose interface this is.</summary>
    public string ServerVersion { get; init; } = "3.2.3";
}
