namespace Kv.Core.Objects;

/// <summary>Why bytes are not an object: what was wrong, and at which offset.</summary>
public readonly record struct DecodeFailure(int Offset, string Reason)
{
    public override string ToString() => $"not a stored object: {Reason} (at byte {Offset})";
}
