using System.Globalization;

namespace Kv.Kubectl.Import;

/// <summary>Says on standard error every few seconds how far the bucket is that is being copied, and what else is to be said meanwhile.</summary>
internal sealed class ImportProgress : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly TextWriter error;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource ending = new();
    private readonly Task telling;
    private BucketRow? current;
    private long before;

    public ImportProgress(TextWriter error)
    {
        this.error = error;
        telling = TellAsync();
    }

    /// <summary>The bucket that is being copied from now on.</summary>
    public void Begin(BucketRow row)
    {
        lock (gate)
        {
            (current, before) = (row, 0);
        }
    }

    public void Say(string text)
    {
        lock (gate)
        {
            error.WriteLine($"kv: {Output.Escape.Line(text)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await telling;
        ending.Dispose();
    }

    /// <summary>`default/users: 120000 of 500000 keys (24 %), 3400 a second; copied 119990, equal 10`.</summary>
    public static string TextOf(BucketRow row, long done, double perSecond)
    {
        var fates = Enum.GetValues<KeyFate>().Where(fate => row.Tally[fate] > 0).Select(fate => string.Create(CultureInfo.InvariantCulture, $"{ImportTally.NameOf(fate)} {row.Tally[fate]}"));
        return row.Keys is not { } keys
            ? $"{row.Bucket}: its keys are being listed"
            : string.Create(CultureInfo.InvariantCulture, $"{row.Bucket}: {done} of {keys} keys ({100.0 * done / Math.Max(1, keys):0} %), {perSecond:0} a second; {string.Join(", ", fates)}");
    }

    private async Task TellAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(ending.Token))
            {
                Tell();
            }
        }
        catch (OperationCanceledException)
        {
            // The import has ended.
        }
    }

    private void Tell()
    {
        string text;
        lock (gate)
        {
            if (current is not { } row)
            {
                return;
            }

            var done = row.Tally.Done;
            text = TextOf(row, done, (done - before) / Interval.TotalSeconds);
            before = done;
        }

        Say(text);
    }
}
