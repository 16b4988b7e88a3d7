namespace Kv.Chaos.Load;

/// <summary>A value and what goes with it.</summary>
/// <param name="Context">What its writer has seen; null for a fresh write.</param>
/// <param name="ToPrimaries">Acknowledged by no fewer than a majority of the key's primaries.</param>
internal sealed record DoorPut(string Value, string? Context, PutCondition Condition = PutCondition.None, bool ToPrimaries = false);
