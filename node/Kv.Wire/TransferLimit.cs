using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Kv.Wire;

/// <summary>
/// How long a message may take on its way in or out: nothing of it may rest for long, and all of it must go at a least rate. Otherwise whoever is slow would hold the
/// node's memory for as long as it likes.
/// </summary>
internal sealed class TransferLimit : IDisposable
{
    public const int StandardBytesPerSecond = 64 * 1024;

    public static readonly TimeSpan StandardRest = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan KestrelsShortest = TimeSpan.FromSeconds(2);

    private readonly TimeSpan longestRest;
    private readonly CancellationTokenSource whole;
    private readonly CancellationTokenSource rest;

    /// <param name="longestRest">How long nothing may go; so much more than their bytes take all of them together may take.</param>
    /// <param name="bytes">Of the whole message.</param>
    /// <param name="leastBytesPerSecond">The rate.</param>
    /// <param name="cancel">Ends it before.</param>
    public TransferLimit(TimeSpan longestRest, long bytes, int leastBytesPerSecond, CancellationToken cancel)
    {
        this.longestRest = longestRest;
        whole = new CancellationTokenSource(longestRest + TimeSpan.FromSeconds((double)bytes / leastBytesPerSecond));
        rest = CancellationTokenSource.CreateLinkedTokenSource(whole.Token, cancel);
    }

    /// <summary>The same where Kestrel keeps it, which looks once a second.</summary>
    public static MinDataRate ForKestrel(TimeSpan longestRest, int leastBytesPerSecond) => new(leastBytesPerSecond, longestRest > KestrelsShortest ? longestRest : KestrelsShortest);

    /// <summary>For the next step of it.</summary>
    public CancellationToken Next()
    {
        rest.CancelAfter(longestRest);
        return rest.Token;
    }

    public void Dispose()
    {
        rest.Dispose();
        whole.Dispose();
    }
}
