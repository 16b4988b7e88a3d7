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

    /// <summary>Bytes of a value that is not here, in what a head-only read gave; 0 in a whole sibling.</summary>
    public int AbsentValueBytes { get; init; }

    /// <summary>Bytes of the value, here or not.</summary>
    public int ValueBytes => Value.Length + AbsentValueBytes;

    /// <summary>Whether the value was left away. An empty value is never left away.</summary>
    public bool IsHead => AbsentValueBytes > 0;

    /// <summary>The sibling without its value.</summary>
    public Sibling ToHead() => Value.IsEmpty ? this : this with { Value = default, AbsentValueBytes = Value.Length };

    /// <summary>
    /// Whether the two are one write's sibling: equal in everything. Where one of them is a head, equal in everything but the value's bytes, which the other
    /// may have.
    /// </summary>
    public bool IsSameWrite(Sibling other) =>
        ReferenceEquals(this, other)
        || (Dot == other.Dot
            && IsTombstone == other.IsTombstone
            && LastModifiedMicroseconds == other.LastModifiedMicroseconds
            && ValueBytes == other.ValueBytes
            && VTag == other.VTag
            && Metadata.Equals(other.Metadata)
            && (IsHead || other.IsHead || Value.Span.SequenceEqual(other.Value.Span)));

    /// <summary>Equal content, byte by byte; a head equals heads only.</summary>
    public bool Equals(Sibling? other) => other is not null && IsHead == other.IsHead && IsSameWrite(other);

    public override int GetHashCode() => HashCode.Combine(Dot, IsTombstone, LastModifiedMicroseconds, ValueBytes, VTag);
}
