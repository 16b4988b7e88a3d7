namespace Kv.Chaos.Faults;

/// <summary>A fault of a schedule.</summary>
/// <param name="At">Seconds after the first load.</param>
/// <param name="Seconds">How long it lasts; what takes its own time ends when it is done.</param>
/// <param name="Ranks">Which nodes, as places among those that run then.</param>
/// <param name="Amount">What the kind has of an amount: percent of loss, seconds of a clock, the seed of what rots.</param>
internal sealed record Fault(FaultKind Kind, double At, double Seconds, IReadOnlyList<int> Ranks, int Amount);
