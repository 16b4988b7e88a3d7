namespace Kv.Simulation.Checkers;

/// <summary>
/// What a read that now begins has to show, or something that covers it, each with the replicas that may have forgotten it before such a read can miss it; and what it may not show, since its time was over
/// before.
/// </summary>
public sealed record ReadExpectation(IReadOnlyList<(string Name, int Spared)> Writes, IReadOnlyList<string> Over);
