namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Keeps background work to a number of bytes a second and to a share of one processor, whichever is slower, with a second's worth in advance, and lets it wait while requests are many. Safe from any
/// thread.
/// </summary>
internal sealed class Pace(long bytesPerSecond, double workShare, Func<bool> isUnderLoad, TimeProvider time)
{
    private static readonly TimeSpan LoadPause = TimeSpan.FromMilliseconds(100);

    // What others ask for is not slowed by what it costs: a debt without a bound would keep a node's own work waiting for ever. Below the time that the other side of an exchange waits for a step.
    private static readonly TimeSpan MaxDebt = TimeSpan.FromSeconds(10);

    // Guards the one below.
    private readonly Lock gate = new();
    private long paidUntil = time.GetTimestamp();

    /// <summary>Accounts for bytes that were moved and for the time that it took to work on them, and waits until more may be.</summary>
    public async ValueTask SpendAsync(long bytes, TimeSpan work, CancellationToken cancel)
    {
        if (Charge(bytes, work) is { Ticks: > 0 } debt)
        {
            await Task.Delay(debt, time, cancel);
        }

        while (isUnderLoad())
        {
            await Task.Delay(LoadPause, time, cancel);
        }
    }

    /// <summary>Accounts for it without a wait, where others wait for the answer: whoever spends next waits for this too. Gives how long.</summary>
    public TimeSpan Charge(long bytes, TimeSpan work)
    {
        var now = time.GetTimestamp();
        var cost = Math.Max(bytes / (double)bytesPerSecond, work.TotalSeconds / workShare);
        lock (gate)
        {
            var earliest = now - time.TimestampFrequency;
            paidUntil = Math.Max(paidUntil, earliest) + (long)(cost * time.TimestampFrequency);
            paidUntil = Math.Min(paidUntil, now + (long)(MaxDebt.TotalSeconds * time.TimestampFrequency));
            return paidUntil > now ? time.GetElapsedTime(now, paidUntil) : TimeSpan.Zero;
        }
    }
}
