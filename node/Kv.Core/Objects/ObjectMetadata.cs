using System.Collections.Immutable;

namespace Kv.Core.Objects;

/// <summary>What travels with a value: how to read it, and what its writer said about it. Header names keep their writer's case.</summary>
public sealed record ObjectMetadata
{
    public static ObjectMetadata Empty { get; } = new();

    /// <summary>The media type as sent; null where none was (Riak's HTTP then answers application/octet-stream).</summary>
    public string? ContentType { get; init; }

    public string? Charset { get; init; }

    public string? ContentEncoding { get; init; }

    public ImmutableArray<Link> Links { get; init; } = [];

    /// <summary>X-Riak-Meta-* and its like: name without the prefix, value.</summary>
    public ImmutableArray<KeyValuePair<string, string>> UserMetadata { get; init; } = [];

    /// <summary>Secondary index entries: field name with its _bin or _int suffix, value.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Indexes { get; init; } = [];

    /// <summary>Equal texts and equal lists in the same order.</summary>
    public bool Equals(ObjectMetadata? other) =>
        other is not null
        && (ReferenceEquals(this, other)
            || (ContentType == other.ContentType
                && Charset == other.Charset
                && ContentEncoding == other.ContentEncoding
                && Links.AsSpan().SequenceEqual(other.Links.AsSpan())
                && UserMetadata.AsSpan().SequenceEqual(other.UserMetadata.AsSpan())
                && Indexes.AsSpan().SequenceEqual(other.Indexes.AsSpan())));

    public override int GetHashCode() => HashCode.Combine(ContentType, Charset, ContentEncoding, Links.Length, UserMetadata.Length, Indexes.Length);
}
