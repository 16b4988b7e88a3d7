namespace Kv.Simulation.Plans;

/// <summary>A client lists the bucket of the type <paramref name="Type"/>, or asks its index; page by page, where <paramref name="PageSize"/> is given and the kind has pages.</summary>
public sealed record Query(int Number, TimeSpan At, int Node, int Type, QueryKind Kind, int? PageSize) : PlannedEvent(Number, At)
{
    public override string What => FormattableString.Invariant($"a client at n{Node + 1} asks t{Type} for {Kind}{(PageSize is { } size ? $" by {size}" : "")}");
}
