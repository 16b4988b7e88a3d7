namespace Kv.Operator.Tests.Stubs;

/// <summary>A pod's volume: each one that is made anew is another node's.</summary>
internal sealed class SimulatedVolume
{
    public int Generation { get; private set; }

    public bool IsReleased { get; set; }

    public void Renew() => (Generation, IsReleased) = (Generation + 1, false);
}
