namespace Kv.Wire.Native;

/// <summary>Bounds of the native front end.</summary>
public sealed record NativeOptions
{
    /// <summary>Requests of one session that are not answered yet; past it, no more is read from it.</summary>
    public int SessionRequests { get; init; } = 4096;

    /// <summary>
    /// Bytes of answers that wait for one session's reader, those of requests under way as it may be expected; past it, no more is begun. Where far more came than could be
    /// expected, beyond four times as many, answers are let go: their requests end as overload.
    /// </summary>
    public long SessionAnswerBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Answers in a frame, and the bytes at which it is closed.</summary>
    public int FrameAnswers { get; init; } = 64;

    public int FrameBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of the largest object, to be told to who sends a message that is too long.</summary>
    public long MaxObjectBytes { get; init; } = 50 * 1024 * 1024;

    /// <summary>How long a message that room is taken for may rest, and how long a session may wait with it for its client to take answers. Then the call is ended.</summary>
    public TimeSpan StallTimeout { get; init; } = TransferLimit.StandardRest;

    /// <summary>The rate at which a message must come, beside that time, and an answer must be taken.</summary>
    public int LeastBytesPerSecond { get; init; } = TransferLimit.StandardBytesPerSecond;

    public int MultiGetKeys { get; init; } = 100;

    /// <summary>Bytes of a message: one object of the largest size, and what goes with it.</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>For a node that takes objects up to <paramref name="maxObjectBytes"/>: what is a little larger gets an error of its own, and the rest a status.</summary>
    public static NativeOptions For(long maxObjectBytes) => new() { MaxObjectBytes = maxObjectBytes, MaxMessageBytes = (int)Math.Min(64 * 1024 * 1024, (maxObjectBytes * 5 / 4) + (1024 * 1024)) };

    public int StreamWindowBytes { get; init; } = 1024 * 1024;

    public int ConnectionWindowBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Calls of one connection at once.</summary>
    public int StreamsPerConnection { get; init; } = 1000;

    /// <summary>How long <c>GetRing</c> waits for a newer ring.</summary>
    public TimeSpan RingWait { get; init; } = TimeSpan.FromSeconds(30);
}
