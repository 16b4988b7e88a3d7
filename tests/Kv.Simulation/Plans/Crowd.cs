namespace Kv.Simulation.Plans;

/// <summary>
/// Many clients at once, more than the queues of this run hold where those are small, and all of them with the same key of the type <paramref name="Type"/>. They go to the nodes in turn, from
/// <paramref name="Node"/>. Nobody remembers what they wrote.
/// </summary>
public sealed record Crowd(int Number, TimeSpan At, int Node, int Type) : PlannedEvent(Number, At)
{
    /// <summary>Those who do not write list the bucket, or ask the index where there is one, instead of reading the key.</summary>
    public bool Lists { get; init; }

    public override string What => FormattableString.Invariant($"a crowd comes to {(Lists ? "the bucket and " : "")}a key of t{Type}, from n{Node + 1} on");
}
