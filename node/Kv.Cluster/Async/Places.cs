namespace Kv.Cluster.Async;

/// <summary>Places of which there are so many, counted in an integer that is never more than that, not for a moment, so that who looks at it sees the bound kept. Safe from any thread.</summary>
internal static class Places
{
    /// <summary>Takes one; false where all are taken. Each true needs one <see cref="Interlocked.Decrement(ref int)"/>.</summary>
    public static bool TryTake(ref int taken, int limit)
    {
        var seen = Volatile.Read(ref taken);
        while (seen < limit)
        {
            var was = Interlocked.CompareExchange(ref taken, seen + 1, seen);
            if (was == seen)
            {
                return true;
            }

            seen = was;
        }

        return false;
    }
}
