namespace Kv.EndToEnd;

/// <summary>Waits for what the world will come to, looking again and again.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static async Task AsyncTrue(Func<Task<bool>> condition, TimeSpan patience, Func<string> otherwise, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(patience);
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"not within {patience.TotalSeconds} s: {otherwise()}");
            }

            await Task.Delay(Pause, cancel);
        }
    }
}
