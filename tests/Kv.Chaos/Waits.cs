using System.Diagnostics;

namespace Kv.Chaos;

/// <summary>Waiting, without an exception where the wait is cut short.</summary>
internal static class Waits
{
    /// <summary>Whether the time passed, rather than being cut short.</summary>
    public static async Task<bool> ForAsync(TimeSpan time, CancellationToken cancel)
    {
        try
        {
            await Task.Delay(time > TimeSpan.Zero ? time : TimeSpan.Zero, cancel);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken cancel)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Asks twice a second until there is nothing to complain about; the last complaint where that takes too long, else null.</summary>
    public static Task<string?> UntilNoneAsync(Func<Task<string?>> complaint, TimeSpan patience, CancellationToken cancel) =>
        UntilNoneAsync(complaint, patience, Stopwatch.StartNew(), cancel);

    /// <summary>As the other, where patience is measured by a watch that may stand still.</summary>
    public static async Task<string?> UntilNoneAsync(Func<Task<string?>> complaint, TimeSpan patience, Stopwatch watch, CancellationToken cancel)
    {
        var begun = watch.Elapsed;
        while (true)
        {
            var found = await complaint();
            if (found is null || watch.Elapsed - begun > patience || !await ForAsync(TimeSpan.FromMilliseconds(500), cancel))
            {
                return found;
            }
        }
    }
}
