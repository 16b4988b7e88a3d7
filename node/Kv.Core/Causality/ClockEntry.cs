namespace Kv.Core.Causality;

/// <summary>
/// One actor's entry of a version vector: every event of <see cref="Actor"/> on the key up to <see cref="Counter"/> is covered.
/// <see cref="UnixSeconds"/> is when the last was made: for pruning only, never for comparing.
/// </summary>
public readonly record struct ClockEntry(ActorId Actor, ulong Counter, uint UnixSeconds);
