namespace Kv.Core.AntiEntropy;

/// <summary>What an <see cref="Exchange"/> wants done next.</summary>
public abstract record ExchangeStep
{
    private ExchangeStep()
    {
    }

    /// <summary>Ask the peer for its root, telling one's own.</summary>
    public sealed record AskRoot(uint Mine) : ExchangeStep;

    /// <summary>Ask the peer for the hashes of all branches.</summary>
    public sealed record AskBranches : ExchangeStep;

    /// <summary>Ask the peer for the segments' hashes of these branches.</summary>
    public sealed record AskSegments(IReadOnlyList<int> Branches) : ExchangeStep;

    /// <summary>Ask the peer for the hashes of these segments' leaves, of at most that depth.</summary>
    public sealed record AskLeaves(int Depth, IReadOnlyList<int> Segments) : ExchangeStep;

    /// <summary>Ask the peer for a page of what these leaves of trees of that depth hold, of the first only keys after <paramref name="After"/>.</summary>
    public sealed record AskEntries(int Depth, IReadOnlyList<int> Leaves, ReadOnlyMemory<byte> After) : ExchangeStep;

    /// <summary>Read a page of what these leaves hold here.</summary>
    public sealed record ReadEntries(int Depth, IReadOnlyList<int> Leaves, ReadOnlyMemory<byte> After) : ExchangeStep;

    /// <summary>Have these keys repaired: what the two hold under them differs.</summary>
    public sealed record Repair(IReadOnlyList<ReadOnlyMemory<byte>> Keys) : ExchangeStep;

    public sealed record Done : ExchangeStep;
}
