namespace Kv.TestKit;

/// <summary>What the simulated network does to messages. Chances are between 0 and 1.</summary>
public sealed record SimNetworkOptions
{
    public TimeSpan LeastDelay { get; init; } = TimeSpan.FromMicroseconds(100);

    public TimeSpan MostDelay { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>The connection breaks before the request arrives.</summary>
    public double RequestLoss { get; init; }

    /// <summary>The connection breaks after the request arrived: it is done, and nobody hears of it.</summary>
    public double ReplyLoss { get; init; }

    /// <summary>The request arrives twice.</summary>
    public double Duplication { get; init; }

    /// <summary>The message takes <see cref="StraggleFactor"/> times as long.</summary>
    public double Straggling { get; init; }

    public double StraggleFactor { get; init; } = 100;
}
