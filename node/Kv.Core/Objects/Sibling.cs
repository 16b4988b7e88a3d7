using Kv.Core.Causality;

namespace Kv.Core.Objects;

/// <summary>
/// One of the values that an object has at once, with the event that made it. A tombstone is a sibling with no value: the record
/// of a delete. <see cref="Dot"/> is null for a value written while `dvv_enabled` was off.
/// </summary>
public sealed record Sibling
{
    public required Dot? Dot { get; init; }

    public ReadOnlyMemory<byte> Value { get; init; }

    public ObjectMetadata Metadata { get; init; } = ObjectMetadata.Empty;

    public bool IsTombstone { get; init; }

    /// <summary>Microseconds since 1970 by the coordinator's clock, when the write was taken in.</summary>
    public long LastModifiedMicroseconds { get; init; }

    /// <summary>The write's own tag (Riak's vtag, HTTP's ETag): unique by write, not by content.</summary>
    public string VTag { get; init; } = "";
}
