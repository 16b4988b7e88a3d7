namespace Kv.Fuzz.Running;

/// <summary>Tells of an input that is not done with within <see cref="Longest"/>, by the clock on the wall. Nothing takes a thread back from it, so that whoever is told has to end the program.</summary>
internal sealed class HangWatch : IDisposable
{
    /// <summary>No input is long; a machine may be busy.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private readonly Timer timer;
    private volatile byte[]? input;
    private long begun;

    public HangWatch(Action<byte[]> hangs)
    {
        timer = new Timer(_ => Look(hangs), null, Longest, Longest / 10);
    }

    public void Begin(byte[] next)
    {
        Volatile.Write(ref begun, Environment.TickCount64);
        input = next;
    }

    public void End() => input = null;

    public void Dispose() => timer.Dispose();

    private void Look(Action<byte[]> hangs)
    {
        if (input is { } current && Environment.TickCount64 - Volatile.Read(ref begun) > Longest.TotalMilliseconds && ReferenceEquals(current, input))
        {
            hangs(current);
        }
    }
}
