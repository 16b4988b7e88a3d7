namespace Kv.Chaos.Load;

/// <summary>What a client saw: the values, tombstones left out, and the context of all of it; null where there was none.</summary>
internal sealed record DoorRead(IReadOnlySet<string> Values, string? Context);
