namespace Kv.Wire.Native;

/// <summary>
/// How many requests of a session are begun: their answers, those that wait for the client and those that are to be expected, are bounded by their number and their bytes.
/// Guarded by the session.
/// </summary>
internal sealed class SessionWindow(NativeOptions options)
{
    /// <summary>What is expected of an answer before there is one. What came is expected again, and less the more that are shorter.</summary>
    public const int FirstExpectedBytes = 64 * 1024;
    private const int Decay = 16;

    /// <summary>Answers of no more are bounded by their number.</summary>
    private const int SmallBytes = 4 * 1024;

    /// <summary>So many times more than is to wait at most waits where all were expected to be short.</summary>
    private const int MostUnexpected = 4;

    private long expectedBytes = FirstExpectedBytes;
    private long waitingBytes;
    private int unanswered;
    private int waiting;

    /// <summary>Whether every request that was begun has its answer sent.</summary>
    public bool IsEmpty => unanswered == 0;

    // hot
    public bool TryBegin()
    {
        var running = unanswered - waiting;
        var bytes = waitingBytes + (running == 0 ? 0 : (running + 1) * expectedBytes);
        if (unanswered >= options.SessionRequests || bytes > options.SessionAnswerBytes)
        {
            return false;
        }

        unanswered++;
        return true;
    }

    /// <summary>Whether there is room for the answer of a request that was begun; otherwise a short one is to be had in its place.</summary>
    // hot
    public bool HasRoom(int bytes)
    {
        expectedBytes = Math.Max(bytes, expectedBytes - (expectedBytes / Decay));
        return bytes <= SmallBytes || waiting == 0 || waitingBytes + bytes <= MostUnexpected * options.SessionAnswerBytes;
    }

    public void Add(int bytes)
    {
        waiting++;
        waitingBytes += bytes;
    }

    public void Take(int answers, long bytes)
    {
        unanswered -= answers;
        waiting -= answers;
        waitingBytes -= bytes;
    }
}
