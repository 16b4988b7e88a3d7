using System.Collections.Immutable;

namespace Kv.Simulation;

/// <summary>The gaps that are open: each makes a checker look away where it says. Whoever closes one takes it out here, and the checks are on.</summary>
public static class KnownGaps
{
    public static ImmutableArray<KnownGap> Open { get; } = [KnownGap.NoAntiEntropy, KnownGap.ResurrectionAfterReap];

    public static bool IsOpen(KnownGap gap) => Open.Contains(gap);
}
