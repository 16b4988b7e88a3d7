using Kv.Wire.Access;

namespace Kv.Wire.Peer;

/// <summary>What all links of a node share.</summary>
internal sealed class PeerLinkContext(PeerIdentity identity, PeerTransportOptions options, RequestMemory memory, TimeProvider time, Random random, NodeTls? tls)
{
    // Guards the random source, which is not safe for threads.
    private readonly Lock gate = new();
    private readonly long ticksPerWheelTick = Math.Max(1, (long)(options.DeadlineTick.TotalSeconds * time.TimestampFrequency));

    public PeerIdentity Identity { get; } = identity;

    public PeerTransportOptions Options { get; } = options;

    public RequestMemory Memory { get; } = memory;

    public TimeProvider Time { get; } = time;

    /// <summary>Null where nodes speak in the open.</summary>
    public NodeTls? Tls { get; } = tls;

    /// <summary>The wheel's tick of a timestamp.</summary>
    public long Tick(long timestamp) => timestamp / ticksPerWheelTick;

    /// <summary>How long to leave a peer alone after so many failures in a row, in timestamp units: half of it is jitter.</summary>
    public long BackoffTicks(int failures, bool refused)
    {
        var (first, most) = (Options.BackoffFirst.TotalSeconds, Options.BackoffMost.TotalSeconds);
        var seconds = refused ? most : Math.Min(most, first * Math.Pow(2, Math.Min(failures - 1, 20)));
        lock (gate)
        {
            return (long)(seconds * (0.5 + (0.5 * random.NextDouble())) * Time.TimestampFrequency);
        }
    }
}
