namespace Kv.Simulation.Checkers;

/// <summary>The acknowledged writes that a read which now begins has to show, or something that covers them.</summary>
public sealed record ReadExpectation(IReadOnlyList<string> Names);
