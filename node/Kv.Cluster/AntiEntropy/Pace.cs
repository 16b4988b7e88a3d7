namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Keeps background work to a number of bytes a second, with a second's worth in advance, and lets it wait while requests are many. Safe from any thread.
/// </summary>
internal sealed class Pace(long bytesPerSecond, Func<bool> isUnderLoad, TimeProvider time)
{
    private static readonly TimeSpan LoadPause = TimeSpan.FromMilliseconds(100);

    // Guards the one below.
    private readonly Lock gate = new();
    private long paidUntil = time.GetTimestamp();

    /// <summary>Accounts for bytes that were moved, and waits until more may be.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancel)
    {
        if (Owed(bytes) is { Ticks: > 0 } debt)
        {
            await Task.Delay(debt, time, cancel);
        }

        while (isUnderLoad())
        {
            await Task.Delay(LoadPause, time, cancel);
        }
    }

    private TimeSpan Owed(long bytes)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            var earliest = now - time.TimestampFrequency;
            paidUntil = Math.Max(paidUntil, earliest) + (long)(bytes * (double)time.TimestampFrequency / bytesPerSecond);
            return paidUntil > now ? time.GetElapsedTime(now, paidUntil) : TimeSpan.Zero;
        }
    }
}
