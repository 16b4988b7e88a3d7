namespace Kv.Core.Causality;

/// <summary>One write event: the <see cref="Counter"/>th event of <see cref="Actor"/>. Counters start at 1.</summary>
public readonly record struct Dot(ActorId Actor, ulong Counter);
