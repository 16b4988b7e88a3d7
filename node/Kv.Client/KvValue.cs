using Kv.Core.Objects;

namespace Kv.Client;

/// <summary>A value to store, with what is said about it. The bytes are not copied: leave them alone until the put has ended.</summary>
public sealed record KvValue(ReadOnlyMemory<byte> Value)
{
    /// <summary>The media type; null for none.</summary>
    public string? ContentType { get; init; }

    public string? Charset { get; init; }

    public string? ContentEncoding { get; init; }

    public IReadOnlyList<Link> Links { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> UserMetadata { get; init; } = [];

    /// <summary>Secondary index entries: field with its _bin or _int suffix, value.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Indexes { get; init; } = [];
}
